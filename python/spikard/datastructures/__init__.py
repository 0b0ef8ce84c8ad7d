"""Values that handlers meet: headers, query parameters, cookies, forms, uploads, application state."""

from spikard._spikard import Headers, QueryParams
from spikard.datastructures.awaitable import awaitable
from spikard.datastructures.body_stream import Part
from spikard.datastructures.cookies import Cookies
from spikard.datastructures.form_data import FormData
from spikard.datastructures.state import State
from spikard.datastructures.upload_file import UploadFile

__all__ = ["Cookies", "FormData", "Headers", "Part", "QueryParams", "State", "UploadFile", "awaitable"]
