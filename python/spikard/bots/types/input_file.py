"""Files to be sent."""

import base64
import binascii
import mimetypes
import posixpath
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Self
from urllib.parse import unquote, urlsplit

from spikard.bots.redaction import redacted_logs

MEBIBYTE = 1 << 20


class InputFile:
    """A file to be sent: a path, bytes, or an open binary file.

    A path is opened for each attempt and closed after it; an open file is rewound between attempts and left open.
    """

    def __init__(self, file: str | Path | bytes | BinaryIO, filename: str | None = None) -> None:
        self.file = file
        self.filename = filename

    def read(self) -> tuple[str | None, BinaryIO]:
        """The name and the open file. Whoever calls closes what was opened from a path.

        Raises:
            FileNotFoundError: There is no such path.
        """
        if isinstance(self.file, str | Path):
            path = Path(self.file)
            return self.filename or path.name, path.open("rb")
        if isinstance(self.file, bytes | bytearray | memoryview):
            return self.filename, BytesIO(self.file)
        return self.filename, self.file

    @property
    def is_opened_here(self) -> bool:
        """Whether `read` opens something that has to be closed."""
        return isinstance(self.file, str | Path | bytes | bytearray | memoryview)

    @classmethod
    def from_buffer(cls, data: bytes | bytearray | memoryview, filename: str | None = None) -> Self:
        """A file from memory."""
        return cls(bytes(data), filename)

    @classmethod
    def from_base64(cls, text: str, filename: str | None = None) -> Self:
        """A file from base64, or from a `data:` URL. Raises ValueError for what is neither."""
        if text.startswith("data:"):
            text = text.partition(",")[2]
        try:
            data = base64.b64decode(text.translate(_NO_SPACE), validate=True)
        except binascii.Error as fault:
            raise ValueError(f"This is not base64: {fault}") from None
        return cls(data, filename)

    @classmethod
    async def from_url(
        cls,
        url: str,
        filename: str | None = None,
        timeout: float = 30.0,  # noqa: ASYNC109 - a setting of the HTTP client
        proxy: str | None = None,
        max_size: int = 50 * MEBIBYTE,
        *,
        name_from_type: bool = False,
    ) -> Self:
        """Fetches a file, no more than `max_size` bytes of it.

        Args:
            url: Where it is. Only pass addresses that you trust: the request comes from this machine.
            filename: Its name; by default the last part of the address, if that has an extension.
            timeout: Seconds for each step.
            proxy: Through which to go.
            max_size: What is larger is refused.
            name_from_type: Whether a file whose address has no name gets one from its content type.

        Raises:
            httpx.HTTPStatusError: The server has refused.
            ValueError: The file is larger than `max_size`.
        """
        import httpx

        with redacted_logs():  # an address may hold a token
            return await cls._fetched(httpx, url, filename, timeout, proxy, max_size, name_from_type)

    @classmethod
    async def _fetched(
        cls,
        httpx: Any,
        url: str,
        filename: str | None,
        timeout: float,  # noqa: ASYNC109
        proxy: str | None,
        max_size: int,
        name_from_type: bool,
    ) -> Self:
        async with (
            httpx.AsyncClient(timeout=timeout, proxy=proxy, follow_redirects=True) as client,
            client.stream("GET", url) as answer,
        ):
            answer.raise_for_status()
            data = bytearray()
            async for chunk in answer.aiter_bytes():
                data += chunk
                if len(data) > max_size:
                    raise ValueError(f"The file is larger than {max_size} bytes")
            if filename is None:
                filename = filename_from_url(url)
            if filename is None and name_from_type:
                kind = answer.headers.get("content-type", "").partition(";")[0].strip()
                filename = f"file{mimetypes.guess_extension(kind) or ''}"
        return cls(bytes(data), filename)

    def __repr__(self) -> str:
        what = f"{len(self.file)} bytes" if isinstance(self.file, bytes) else repr(self.file)
        return f"InputFile({what}, filename={self.filename!r})"


_NO_SPACE = {ord(character): None for character in " \t\r\n"}


def filename_from_url(url: str) -> str | None:
    """The last part of an address, if it looks like the name of a file."""
    name = posixpath.basename(unquote(urlsplit(url).path))
    return name if "." in name.strip(".") else None


# What programs written for other frameworks import.
_filename_from_url = filename_from_url

__all__ = ["InputFile", "filename_from_url"]
