"""A WebSocket client that says exactly the bytes it is told to, right ones and wrong ones."""

import base64
import os
import socket
import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tests.served import Served

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
FIN, RSV1 = 0x80, 0x40
KEY = base64.b64encode(b"0123456789abcdef").decode()
HANDSHAKE = {
    "Host": "x",
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": KEY,
}


def frame(first: int, payload: bytes = b"", *, mask: bytes | None = None, masked: bool = True) -> bytes:
    """A frame: `first` is its first byte."""
    length = len(payload)
    bit = 0x80 if masked else 0
    if length < 126:
        head = struct.pack("!BB", first, bit | length)
    elif length < 65536:
        head = struct.pack("!BBH", first, bit | 126, length)
    else:
        head = struct.pack("!BBQ", first, bit | 127, length)
    if not masked:
        return head + payload
    key = os.urandom(4) if mask is None else mask
    return head + key + bytes(byte ^ key[index % 4] for index, byte in enumerate(payload))


@dataclass(frozen=True)
class Frame:
    """What came."""

    first: int
    payload: bytes


@dataclass(frozen=True)
class Answer:
    """The answer to a handshake."""

    status: int
    headers: dict[str, str]


class RawWebSocket:
    """A connection after the handshake."""

    def __init__(self, served: Served, path: str = "/", headers: dict[str, str] | None = None) -> None:
        self.socket = served.connect()
        self._buffer = b""
        self.answer = self.shake_hands(path, HANDSHAKE | (headers or {}))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def shake_hands(self, path: str, headers: dict[str, str]) -> Answer:
        """Send the handshake and read its answer."""
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items() if value), "", ""]
        self.socket.sendall("\r\n".join(lines).encode())
        while b"\r\n\r\n" not in self._buffer:
            data = self.socket.recv(65536)
            assert data, self._buffer
            self._buffer += data
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        status, *rest = head.decode().split("\r\n")
        return Answer(
            int(status.split()[1]),
            {name.lower(): value for name, value in (line.split(": ", 1) for line in rest)},
        )

    def send(self, *data: bytes) -> None:
        """Send bytes, all in one go."""
        self.socket.sendall(b"".join(data))

    def send_slowly(self, data: bytes, step: int) -> None:
        """Send bytes in pieces, each a segment of its own."""
        for start in range(0, len(data), step):
            self.socket.sendall(data[start : start + step])

    def stuff(self, data: bytes, times: int) -> int:
        """Send the same over and over until nobody takes more; how many bytes went through."""
        self.socket.settimeout(0.5)
        sent, view = 0, memoryview(data)
        try:
            while sent < times * len(data):
                sent += self.socket.send(view[sent % len(data) :])
        except TimeoutError:
            return sent
        finally:
            self.socket.settimeout(20)
        raise AssertionError("everything was taken")

    def frames(self) -> Iterator[Frame]:
        """What the server sends, to the end of the stream."""
        while (head := self._read(2)) is not None:
            first, length = head
            assert not length & 0x80, "a server masks nothing"
            if length == 126:
                (length,) = struct.unpack("!H", self._need(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", self._need(8))
            yield Frame(first, self._need(length))

    def next(self) -> Frame:
        """The next frame."""
        return next(self.frames())

    def rest(self) -> list[tuple[int, bytes]]:
        """All frames until the server ends the stream."""
        return [(received.first, received.payload) for received in self.frames()]

    def close_code(self) -> int | None:
        """The code of the server's close, after which the stream ends; messages before it are passed over."""
        code = None
        for received in self.frames():
            assert code is None, "nothing comes after a close"
            if received.first == FIN | CLOSE:
                code = struct.unpack("!H", received.payload[:2])[0] if received.payload else 0
                self._agree(received.payload)
        return code

    def _agree(self, payload: bytes) -> None:
        with suppress(OSError):
            self.send(frame(FIN | CLOSE, payload))

    def _need(self, count: int) -> bytes:
        data = self._read(count)
        assert data is not None
        return data

    def _read(self, count: int) -> bytes | None:
        while len(self._buffer) < count:
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                assert not self._buffer, self._buffer
                return None
            self._buffer += data
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        return data


def close(code: int, reason: bytes = b"") -> bytes:
    """A close frame."""
    return frame(FIN | CLOSE, struct.pack("!H", code) + reason)


def fragments(kind: int, pieces: Iterable[bytes], between: bytes = b"") -> bytes:
    """A message in pieces, with other frames in between."""
    *first, last = pieces
    data = b""
    for index, piece in enumerate(first):
        data += frame(kind if index == 0 else 0, piece) + between
    return data + frame(FIN | (0 if first else kind), last)


__all__ = ["Answer", "Frame", "RawWebSocket", "close", "fragments", "frame", "socket"]
