"""Redirects."""

from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import quote

from spikard._spikard import Headers, Response

# Everything that may stand in an address as it is; `%` too, for what is escaped already.
ADDRESS_SAFE = "-._~:/?#[]@!$&'()*+,;=%"


class RedirectResponse(Response):
    """Sends the client to another address, with the same method unless the status says otherwise."""

    def __new__(
        cls,
        url: str,
        status_code: int = 307,
        headers: Mapping[str, str] | Headers | None = None,
        *,
        background: Any = None,
    ) -> Self:
        """Take the address; it is escaped where needed."""
        response = super().__new__(cls, None, status_code, headers, background=background)
        response.headers["location"] = quote(str(url), safe=ADDRESS_SAFE)
        return response
