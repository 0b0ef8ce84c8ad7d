"""One uploaded file."""

import asyncio
import io
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from spikard.datastructures.awaitable import DONE, Done, awaitable

OCTETS = "application/octet-stream"
SPOOL_SIZE = 1_048_576
CHUNK = 65_536
KEYS = ("filename", "content", "content_type", "size")


class UploadFile:
    """A file of a form: in memory while it is small, on disk when it is not.

        async def store(photo: UploadFile) -> int:
            await photo.asave(PHOTOS / photo.filename)
            return photo.size

    The methods with an `a` before their names do the same without holding up the event loop. `f["filename"]`,
    `f["content"]`, `f["content_type"]` and `f["size"]` read it like a mapping. It is closed when nobody holds it any
    more.
    """

    __slots__ = ("_content", "_file", "_max_spool_size", "content_type", "filename", "headers", "size")

    def __init__(
        self,
        filename: str | None,
        content: bytes = b"",
        content_type: str | None = None,
        size: int | None = None,
        headers: Mapping[str, str] | None = None,
        max_spool_size: int = SPOOL_SIZE,
    ) -> None:
        self.filename = filename or ""
        self.content_type = content_type or OCTETS
        self.size = len(content) if size is None else size
        self.headers: dict[str, str] = dict(headers or {})
        self._max_spool_size = max_spool_size
        # Until somebody moves in the file, its bytes are all there is of it.
        self._content: bytes | None = content
        self._file: Any = None

    @classmethod
    def _received(
        cls,
        filename: str | None,
        content_type: str | None,
        size: int,
        headers: dict[str, str],
        content: bytes | None,
        descriptor: int | None,
    ) -> Self:
        """A file that came with a request; `descriptor` is an open file without a name."""
        content = content or b""
        # What was small enough to come in memory may stay there.
        upload = cls(filename, content, content_type, size, headers, max(SPOOL_SIZE, len(content)))
        if descriptor is not None:
            spool: Any = tempfile.SpooledTemporaryFile(max_size=1)  # noqa: SIM115 - closed with the upload
            spool._file = os.fdopen(descriptor, "w+b")
            spool._rolled = True
            upload._file, upload._content = spool, None
        return upload

    @property
    def file(self) -> Any:
        """The file object, a `tempfile.SpooledTemporaryFile`."""
        if self._file is None:
            spool = tempfile.SpooledTemporaryFile(max_size=self._max_spool_size)  # noqa: SIM115 - closed with the upload
            spool.write(self._content or b"")
            spool.seek(0)
            self._file, self._content = spool, None
        return self._file

    @property
    def rolled_to_disk(self) -> bool:
        """Whether the bytes are on disk rather than in memory."""
        if self._file is None:
            return len(self._content or b"") > self._max_spool_size
        return bool(self._file._rolled)

    @property
    def closed(self) -> bool:
        """Whether the file has been closed."""
        return self._file is not None and bool(self._file.closed)

    def read(self, size: int = -1) -> bytes:
        """The next `size` bytes, or all that are left."""
        data: bytes = awaitable(self.file.read(size))
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a position; gives the new one."""
        self.file.seek(offset, whence)
        position: int = awaitable(self.file.tell())
        return position

    def tell(self) -> int:
        """The position."""
        position: int = self.file.tell()
        return position

    def write(self, data: bytes) -> int:
        """Write at the position; the size grows where it goes beyond the end."""
        written = self.file.write(data)
        self.size = max(self.size, self.file.tell())
        count: int = awaitable(written)
        return count

    def close(self) -> Done:
        """Close the file; what was in it is gone."""
        self.file.close()
        return DONE

    async def aread(self, size: int = -1) -> bytes:
        """As `read`, in a thread when the file is on disk."""
        return bytes(await self._apart(self.read, size))

    async def aseek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """As `seek`, in a thread when the file is on disk."""
        return int(await self._apart(self.seek, offset, whence))

    async def awrite(self, data: bytes) -> int:
        """As `write`, in a thread when the file is on disk or will be."""
        self._unpack()
        if self.rolled_to_disk or self.size + len(data) > self._max_spool_size:
            return int(await asyncio.to_thread(self.write, data))
        return int(self.write(data))

    async def aclose(self) -> None:
        """As `close`, in a thread when the file is on disk."""
        await self._apart(self.close)

    async def asave(self, path: "str | os.PathLike[str]") -> int:
        """As `save`, in a thread."""
        return int(await asyncio.to_thread(self.save, path))

    def save(self, path: "str | os.PathLike[str]") -> int:
        """Copy the whole file to `path`, whatever the position; gives the number of bytes."""
        if self._content is not None:
            with open(path, "wb") as target:  # noqa: PTH123 - any path-like will do
                count: int = awaitable(target.write(self._content))
            return count
        position = self.file.tell()
        self.file.seek(0)
        try:
            with open(path, "wb") as target:  # noqa: PTH123 - any path-like will do
                shutil.copyfileobj(self.file, target, CHUNK)
                copied: int = awaitable(target.tell())
        finally:
            self.file.seek(position)
        return copied

    def as_bytes_io(self) -> io.BytesIO:
        """A copy of the whole file in memory."""
        return io.BytesIO(self._whole())

    async def iter(self, size: int = CHUNK) -> AsyncIterator[bytes]:
        """What is left from the position on, in pieces."""
        while data := await self.aread(size):
            yield data

    def __getitem__(self, key: str) -> Any:
        if key not in KEYS:
            raise KeyError(key)
        return self._text_or_bytes() if key == "content" else getattr(self, key)

    def __contains__(self, key: object) -> bool:
        return key in KEYS

    def __iter__(self) -> Iterator[str]:
        return iter(KEYS)

    def keys(self) -> tuple[str, ...]:
        """The keys it can be read by."""
        return KEYS

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key, or the default."""
        return self[key] if key in KEYS else default

    def _asdict(self) -> dict[str, Any]:
        """What an answer shows of it."""
        return {key: self[key] for key in KEYS}

    def _text_or_bytes(self) -> str | bytes:
        whole = self._whole()
        try:
            return whole.decode()
        except UnicodeDecodeError:
            return whole

    def _whole(self) -> bytes:
        if self._content is not None:
            return self._content
        position = self.file.tell()
        self.file.seek(0)
        try:
            whole: bytes = self.file.read()
        finally:
            self.file.seek(position)
        return whole

    def _unpack(self) -> None:
        """Make the file object, if there is none yet."""
        _ = self.file

    async def _apart(self, method: Any, *arguments: Any) -> Any:
        if self.rolled_to_disk:
            return await asyncio.to_thread(method, *arguments)
        return method(*arguments)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        # An instance whose making failed has no file; an interpreter that ends may have closed it.
        with suppress(Exception):
            if self._file is not None:
                self._file.close()

    def __repr__(self) -> str:
        return f"<UploadFile {self.filename!r} {self.content_type} {self.size} bytes>"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.is_instance_schema(cls)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "string", "format": "binary"}


__all__ = ["UploadFile"]
