"""Files on their way to the server, in constant memory."""

import asyncio
import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from spikard.bots.types.input_file import MEBIBYTE, InputFile

Progress = Callable[[int, int], object]
_CHUNK = 1 << 16


class Upload:
    """One file for all attempts of one call.

    A path is opened for each attempt; an open file goes back to its beginning; what cannot go back is kept, in memory
    up to a mebibyte and then in a file without a name.
    """

    def __init__(self, file: Any) -> None:
        self._progress: Progress | None = None
        if isinstance(file, _Watched):
            file, self._progress = file
        self._name: str | None = None
        source = file
        if isinstance(file, tuple):
            self._name, source = file[0], file[1]
        self._type = file[2] if isinstance(file, tuple) and len(file) > 2 else None
        self._input = source if isinstance(source, InputFile) else InputFile(source)
        self._spool: BinaryIO | None = None
        self._opened: BinaryIO | None = None

    async def open(self) -> tuple[Any, ...]:
        """Name and file for the HTTP client, and its type if that is known."""
        fp: Any
        name, fp = await asyncio.to_thread(self._open)
        name = self._name or name or _name_of(fp) or "file"
        if self._progress is not None:
            fp = _Reporting(fp, self._progress)
        return (name, fp) if self._type is None else (name, fp, self._type)

    def release(self) -> None:
        """Closes what was opened for an attempt."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def close(self) -> None:
        """Forgets what was kept for further attempts."""
        self.release()
        if self._spool is not None:
            self._spool.close()

    def _open(self) -> tuple[str | None, BinaryIO]:
        if self._spool is not None:
            self._spool.seek(0)
            return self._input.filename, self._spool
        name, fp = self._input.read()
        if self._input.is_opened_here:
            self._opened = fp
        elif getattr(fp, "seekable", bool)():
            # All of it, as the HTTP client does: one that was just written stands at its end.
            fp.seek(0)
        else:
            self._spool = fp = _spooled(fp)
        return name, fp


def _spooled(source: BinaryIO) -> BinaryIO:
    spool: Any = tempfile.SpooledTemporaryFile(max_size=MEBIBYTE)  # noqa: SIM115 - closed with the upload
    while chunk := source.read(_CHUNK):
        spool.write(chunk)
    spool.seek(0)
    kept: BinaryIO = spool
    return kept


class _Watched(tuple[Any, Progress]):
    """A file and who wants to know how far it is."""

    __slots__ = ()


class _Reporting(io.RawIOBase):
    """Tells how much was read."""

    def __init__(self, fp: BinaryIO, progress: Progress) -> None:
        super().__init__()
        self._fp = fp
        self._progress = progress
        start = fp.tell()
        self._total = fp.seek(0, io.SEEK_END) - start
        fp.seek(start)
        self._sent = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._fp.read(size)
        self._sent += len(data)
        if data:
            self._progress(self._sent, self._total)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._fp.seek(offset, whence)

    def tell(self) -> int:
        return self._fp.tell()

    def close(self) -> None:
        # The file belongs to whoever opened it.
        return


def payload(file: Any, progress: Progress | None = None) -> dict[str, Any] | None:
    """What a method that takes a file passes on."""
    if file is None:
        return None
    return {"file": file if progress is None else _Watched((file, progress))}


def _name_of(fp: Any) -> str | None:
    name = getattr(fp, "name", None)
    return Path(name).name if isinstance(name, str) else None


__all__ = ["Progress", "Upload", "payload"]
