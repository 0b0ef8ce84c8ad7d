"""Plain text."""

from collections.abc import Mapping
from typing import Any, Self

from spikard._spikard import Headers, Response

MEDIA_TYPE = "text/plain; charset=utf-8"


class PlainTextResponse(Response):
    """A text sent as it is."""

    def __new__(
        cls,
        content: Any = None,
        status_code: int = 200,
        headers: Mapping[str, str] | Headers | None = None,
        *,
        background: Any = None,
    ) -> Self:
        """Take the content and, as for every response, status, headers and background work."""
        return super().__new__(cls, content, status_code, headers, media_type=MEDIA_TYPE, background=background)
