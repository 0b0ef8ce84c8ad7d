"""Where a handler's arguments come from.

- `path`, `query`, `header`, `cookie`, `body`, `form`, `file`: one marker each
- `marker`: what they share; `constraints`: from their keywords to JSON Schema
- `missing`: `MISSING`, the value of a default nobody has given
"""

from spikard.params.body import Body
from spikard.params.cookie import Cookie
from spikard.params.file import File
from spikard.params.form import Form
from spikard.params.header import Header
from spikard.params.marker import Marker
from spikard.params.missing import MISSING
from spikard.params.path import Path
from spikard.params.query import Query

__all__ = ["MISSING", "Body", "Cookie", "File", "Form", "Header", "Marker", "Path", "Query"]
