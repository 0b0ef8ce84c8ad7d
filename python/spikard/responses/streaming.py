"""Bodies that are made while they are sent."""

from collections.abc import AsyncIterable, Iterable, Mapping
from typing import Any, Self

from spikard._spikard import Headers, Response

Chunks = AsyncIterable[str | bytes] | Iterable[str | bytes]


class StreamingResponse(Response):
    """Sends what an iterator yields, text or bytes, chunk by chunk as it comes."""

    iterator: Chunks

    def __new__(
        cls,
        iterator: Chunks,
        status_code: int = 200,
        headers: Mapping[str, str] | Headers | None = None,
        *,
        media_type: str | None = None,
        background: Any = None,
    ) -> Self:
        """Take a sync or async iterator or generator."""
        response = super().__new__(cls, None, status_code, headers, media_type=media_type, background=background)
        response.iterator = iterator
        return response
