"""Fetching files."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from spikard.bots.errors import FileDownloadError
from spikard.bots.methods.base import Methods
from spikard.bots.types.file import File

if TYPE_CHECKING:
    from spikard.bots.bot import Bot


class FileMethods(Methods):
    """Methods under `files/`, and the file host."""

    async def get_file_info(self, file_id: str) -> File:
        """What the server knows about a file, and where it is."""
        return await self._ask(File, "files/getInfo", {"fileId": file_id})

    @overload
    async def download_file(
        self,
        file_id: str,
        destination: None = None,
        *,
        filename: str | None = None,
        chunk_size: int = 65_536,
        max_size: int | None = None,
    ) -> bytes: ...
    @overload
    async def download_file(
        self,
        file_id: str,
        destination: str | Path,
        *,
        filename: str | None = None,
        chunk_size: int = 65_536,
        max_size: int | None = None,
    ) -> Path: ...
    async def download_file(
        self,
        file_id: str,
        destination: str | Path | None = None,
        *,
        filename: str | None = None,
        chunk_size: int = 65_536,
        max_size: int | None = None,
    ) -> bytes | Path:
        """Fetches a file.

        Args:
            file_id: Which.
            destination: A path; in a directory it gets the server's name for it. Without one its bytes are returned.
            filename: A name in place of the server's.
            chunk_size: How much of it is in memory at once, if it goes to disk.
            max_size: What is larger is refused.

        Raises:
            FileDownloadError: The file is not there, not complete or too large.
        """
        info = await self.get_file_info(file_id)
        if not info.url:
            raise FileDownloadError("", f"the server gives no address for the file {file_id}")
        name = filename or info.filename
        return await self._fetch(info.url, destination, name, True, chunk_size, max_size)

    @overload
    async def download_file_by_url(
        self,
        url: str,
        destination: None = None,
        *,
        filename: str | None = None,
        append_token: bool = True,
        chunk_size: int = 65_536,
        max_size: int | None = None,
    ) -> bytes: ...
    @overload
    async def download_file_by_url(
        self,
        url: str,
        destination: str | Path,
        *,
        filename: str | None = None,
        append_token: bool = True,
        chunk_size: int = 65_536,
        max_size: int | None = None,
    ) -> Path: ...
    async def download_file_by_url(
        self,
        url: str,
        destination: str | Path | None = None,
        *,
        filename: str | None = None,
        append_token: bool = True,
        chunk_size: int = 65_536,
        max_size: int | None = None,
    ) -> bytes | Path:
        """Fetches a file from the address that `get_file_info` gives. The token goes along only to the server's own
        hosts, and only if the address has none and `append_token` is not False. See `download_file`.
        """
        return await self._fetch(url, destination, filename, append_token, chunk_size, max_size)

    @overload
    async def download(self, file: Any, destination: None = None, **options: Any) -> bytes: ...
    @overload
    async def download(self, file: Any, destination: str | Path, **options: Any) -> Path: ...
    async def download(self, file: Any, destination: str | Path | None = None, **options: Any) -> bytes | Path:
        """Fetches a file by what stands for it: its id, a part of a message, a message, what `get_file_info` gave."""
        if isinstance(file, File) and file.url:
            options.setdefault("filename", file.filename)
            return await self.download_file_by_url(file.url, destination, **options)
        attachments = getattr(file, "attachments", None)
        if attachments is not None:
            if not attachments:
                raise ValueError("The message has no downloadable file")
            file = attachments[0]
        file_id = file if isinstance(file, str) else getattr(file, "file_id", None)
        if not file_id:
            raise ValueError(f"This stands for no file: {file!r}")
        return await self.download_file(file_id, destination, **options)

    async def _fetch(
        self,
        url: str,
        destination: str | Path | None,
        name: str | None,
        append_token: bool,
        chunk_size: int,
        max_size: int | None,
    ) -> bytes | Path:
        from spikard.bots.files import fetch

        bot: Bot = self  # type: ignore[assignment] # whoever has methods is a Bot
        return await fetch(bot, url, destination, name, append_token, chunk_size, max_size)


__all__ = ["FileMethods"]
