"""HTTP for the fake server: requests read and answers written, on a socket, with nothing that an application needs."""

import asyncio
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes, urlsplit

import h11
import msgspec

from spikard.bots import clock

_CHUNK = 1 << 16
_LARGEST = 256 << 20
_FIELD = re.compile(r'(\w+)="([^"]*)"')


@dataclass(slots=True)
class FakeFile:
    """A file as it was sent."""

    filename: str
    content: bytes
    content_type: str = "application/octet-stream"


@dataclass(slots=True)
class FakeRequest:
    """A request, its parameters taken from wherever they stood."""

    verb: str
    path: str
    query: str
    params: dict[str, str]
    files: dict[str, FakeFile] = field(default_factory=dict)
    # Whether the address held the token.
    token_in_url: bool = False

    @property
    def method(self) -> str:
        """The API's method, or an empty text if the address is none of the API."""
        _, found, method = self.path.partition("/bot/v1/")
        return method if found else ""


@dataclass(slots=True)
class FakeAnswer:
    """An answer. One that is dropped closes the connection instead."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    dropped: bool = False

    @classmethod
    def json(cls, data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> "FakeAnswer":
        """An answer of the API."""
        return cls(msgspec.json.encode(data), status, headers=dict(headers or {}))


class Connection:
    """One connection: requests one after another."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._protocol = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)

    async def read(self) -> FakeRequest | None:
        """The next request; None when there is none."""
        head: h11.Request | None = None
        body = bytearray()
        while True:
            event = self._protocol.next_event()
            if event is h11.NEED_DATA:
                self._protocol.receive_data(await self._reader.read(_CHUNK))
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > _LARGEST:
                    return None
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                kind = next((value for name, value in head.headers if name == b"content-type"), b"")
                return read_request(head.method, head.target, kind, bytes(body))
            else:
                return None

    async def write(self, answer: FakeAnswer) -> bool:
        """Sends an answer; whether another request may come."""
        if answer.dropped:
            return False
        headers = {
            "date": formatdate(clock.now(), usegmt=True),
            "content-type": answer.content_type,
            "content-length": str(len(answer.body)),
            **answer.headers,
        }
        head = h11.Response(status_code=answer.status, headers=list(headers.items()))
        data = b"".join(
            part for event in (head, h11.Data(answer.body), h11.EndOfMessage()) if (part := self._protocol.send(event))
        )
        self._writer.write(data)
        await self._writer.drain()
        if self._protocol.our_state is h11.MUST_CLOSE:
            return False
        self._protocol.start_next_cycle()
        return True

    async def close(self) -> None:
        """Closes the connection."""
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()


def read_request(verb: bytes, target: bytes, content_type: bytes, body: bytes) -> FakeRequest:
    """The request of what stood on the wire."""
    parts = urlsplit(target.decode("ascii", "replace"))
    params = dict(parse_qsl(parts.query, keep_blank_values=True))
    in_url = "token" in params
    files: dict[str, FakeFile] = {}
    kind = content_type.decode("latin-1")
    if kind.startswith("multipart/form-data"):
        _read_parts(kind.partition("boundary=")[2].strip('"'), body, params, files)
    elif body:
        params |= parse_qsl(body.decode(), keep_blank_values=True)
    return FakeRequest(verb.decode(), parts.path, parts.query, params, files, in_url)


def _read_parts(boundary: str, body: bytes, params: dict[str, str], files: dict[str, FakeFile]) -> None:
    for part in body.split(f"--{boundary}".encode())[1:-1]:
        lines, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        content = content.removesuffix(b"\r\n")
        headers = dict(line.split(": ", 1) for line in lines.decode().split("\r\n"))
        fields = dict(_FIELD.findall(headers["Content-Disposition"]))
        name = fields["name"]
        if "filename" in fields:
            filename = unquote_to_bytes(fields["filename"]).decode()
            files[name] = FakeFile(filename, content, headers.get("Content-Type", ""))
        else:
            params[name] = content.decode()


__all__ = ["Connection", "FakeAnswer", "FakeFile", "FakeRequest", "read_request"]
