"""A request's body as it comes: pieces of bytes, or the parts of a form."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import Any, Self

from spikard._spikard import BodyReader, PartParser
from spikard.datastructures.form_data import FormData, Value
from spikard.datastructures.upload_file import OCTETS, SPOOL_SIZE, UploadFile
from spikard.errors import HTTPException

# All text of a form together stays below this; files go to disk.
TEXT_LIMIT = 10_485_760


class BodyStream:
    """The pieces of a body, each asked for when the last was taken."""

    __slots__ = ("_end", "_pending", "_reader")

    def __init__(self, reader: BodyReader) -> None:
        self._reader = reader
        self._pending: asyncio.Future[Any] | None = None
        self._end: BaseException | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._end is not None:
            raise self._end
        if self._pending is None:
            self._pending = asyncio.get_running_loop().create_future()
            if not self._reader.read(partial(_settle, self._pending)):
                self._end = StopAsyncIteration()
                raise self._end
        # Who gives up waiting, as wait_for does, loses nothing: the piece is there the next time.
        piece = await asyncio.shield(self._pending)
        self._pending = None
        if piece is None or isinstance(piece, BaseException):
            self._end = piece or StopAsyncIteration()
            raise self._end
        data: bytes = piece
        return data


def _settle(future: "asyncio.Future[Any]", piece: Any) -> None:
    if not future.done():
        future.set_result(piece)


async def once(body: bytes) -> AsyncIterator[bytes]:
    """A body that is there already."""
    if body:
        yield body


async def whole(request: Any, reader: BodyReader, method: str) -> Any:
    """Read the rest of the body, then answer as a request with a whole body does."""
    pieces = [piece async for piece in BodyStream(reader)]
    request._keep(b"".join(pieces))
    return await _plain(getattr(request, method)())


async def _plain(value: Any) -> Any:
    return await value if hasattr(value, "__await__") else value


class Part:
    """One part of a form while it comes: its name and type, and its bytes as an async iterator."""

    __slots__ = ("_charset", "_is_over", "_source", "content_type", "filename", "headers", "name")

    def __init__(self, head: Mapping[str, Any], source: "_Parts") -> None:
        self.name: str = head["name"]
        self.filename: str | None = head["filename"]
        self.content_type: str = head["content_type"] or (OCTETS if self.is_file else "text/plain")
        self.headers: dict[str, str] = head["headers"]
        self._charset: str | None = head["charset"]
        self._source = source
        self._is_over = False

    @property
    def is_file(self) -> bool:
        """Whether the part has a file name."""
        return self.filename is not None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._is_over:
            raise StopAsyncIteration
        data = await self._source.event()
        if data is None:
            self._is_over = True
            raise StopAsyncIteration
        piece: bytes = data
        return piece

    async def read(self, limit: int = TEXT_LIMIT) -> bytes:
        """What is left of the part; one larger than `limit` is a 413."""
        data = bytearray()
        async for piece in self:
            data += piece
            if len(data) > limit:
                raise HTTPException(413, f"Form fields exceed maximum allowed size of {limit} bytes")
        return bytes(data)

    async def text(self) -> str:
        """What is left of the part, as text."""
        try:
            return (await self.read()).decode(self._charset or "utf-8")
        except (UnicodeDecodeError, LookupError):
            raise HTTPException(400, f"Invalid encoding in the form field {self.name!r}") from None

    def __repr__(self) -> str:
        return f"<Part {self.name!r} {self.content_type}>"


class _Parts:
    """The events of a parser, fed from a stream."""

    def __init__(self, chunks: AsyncIterator[bytes], parser: PartParser) -> None:
        self._chunks = chunks
        self._parser = parser

    async def event(self) -> Any:
        """What the parser has to say next; False when the form is over."""
        while (event := self._parser.next()) is False:
            try:
                self._parser.feed(await anext(self._chunks))
            except StopAsyncIteration:
                self._parser.finish()
                return False
        return event


async def parts(chunks: AsyncIterator[bytes], parser: PartParser) -> AsyncIterator[Part]:
    """The parts of a form one after the other; what is not read of one is passed over."""
    source = _Parts(chunks, parser)
    while (head := await source.event()) is not False:
        part = Part(head, source)
        yield part
        async for _ in part:
            pass


async def form_of(request: Any, chunks: AsyncIterator[bytes], parser: PartParser) -> FormData:
    """A whole form, its large files on disk."""
    items: list[tuple[str, Value]] = []
    left = TEXT_LIMIT
    async for part in parts(chunks, parser):
        if part.is_file:
            items.append((part.name, await _upload(part)))
            continue
        text = await part.text()
        left -= len(text)
        if left < 0:
            raise HTTPException(413, f"Form fields exceed maximum allowed size of {TEXT_LIMIT} bytes")
        items.append((part.name, text))
    form = FormData(items)
    request._keep_form(form)
    return form


async def _upload(part: Part) -> UploadFile:
    upload = UploadFile(part.filename, b"", part.content_type, headers=part.headers, max_spool_size=SPOOL_SIZE)
    async for piece in part:
        await upload.awrite(piece)
    await upload.aseek(0)
    return upload


__all__ = ["BodyStream", "Part", "form_of", "once", "parts", "whole"]
