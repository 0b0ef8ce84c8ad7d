"""JSON documents."""

from collections.abc import Mapping
from typing import Any, Self

from spikard._spikard import Headers, Response

NULL = b"null"


class JSONResponse(Response):
    """Content encoded as JSON, None included."""

    def __new__(
        cls,
        content: Any = None,
        status_code: int = 200,
        headers: Mapping[str, str] | Headers | None = None,
        *,
        media_type: str = "application/json",
        background: Any = None,
    ) -> Self:
        """Take the content and, as for every response, status, headers and background work."""
        body = NULL if content is None else content
        return super().__new__(cls, body, status_code, headers, media_type=media_type, background=background)
