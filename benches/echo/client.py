"""The clients: sockets that send, compare the echo, and send again. The protocol is by hand, to be cheap."""

import asyncio
import struct

HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
FINAL_BINARY = 0x82
PING = 0x89
MASK = b"\x01\x02\x03\x04"
# Unasked and empty: a sign of life is all that servers look for.
PONG = b"\x8a\x80" + MASK


class Echoes:
    """Many clients of one server."""

    def __init__(self, port: int, path: str, size: int) -> None:
        payload = bytes(index & 255 for index in range(size))
        masked = bytes(byte ^ MASK[index % 4] for index, byte in enumerate(payload))
        self.port = port
        self.handshake = HANDSHAKE.format(path=path).encode()
        self.question = head(size, masked=True) + MASK + masked
        self.answer = head(size, masked=False) + payload
        self.count = 0
        self.wrong = 0
        self._clients: list[Client] = []

    async def open(self, sockets: int) -> None:
        """Connect them all, then let them begin."""
        loop = asyncio.get_running_loop()
        for _ in range(sockets):
            _, client = await loop.create_connection(lambda: Client(self), "127.0.0.1", self.port)
            self._clients.append(client)
            await client.opened
        for client in self._clients:
            client.transport.write(self.question)

    def close(self) -> None:
        """Drop them all."""
        for client in self._clients:
            client.transport.abort()


class Client(asyncio.Protocol):
    """One socket."""

    transport: asyncio.Transport

    def __init__(self, echoes: Echoes) -> None:
        self._echoes = echoes
        self._received = b""
        self._shaken = False
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Shake hands."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self._echoes.handshake)

    def data_received(self, data: bytes) -> None:
        """Compare, and send the next."""
        self._received += data
        if not self._shaken:
            head, end, self._received = self._received.partition(b"\r\n\r\n")
            if not end:
                self._received = head
                return
            if not head.startswith(b"HTTP/1.1 101"):
                self.opened.set_exception(ConnectionError(head.decode(errors="replace")))
                return
            self._shaken = True
            self.opened.set_result(None)
        answer = self._echoes.answer
        while self._received:
            if self._received[0] == PING:
                if len(self._received) < 2 or len(self._received) < 2 + self._received[1]:
                    return
                self.transport.write(PONG)
                self._received = self._received[2 + self._received[1] :]
                continue
            if len(self._received) < len(answer):
                return
            if self._received.startswith(answer):
                self._echoes.count += 1
            else:
                self._echoes.wrong += 1
            self._received = self._received[len(answer) :]
            self.transport.write(self._echoes.question)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits for the handshake."""
        if not self.opened.done():
            self.opened.set_exception(exc or ConnectionError("closed before the handshake"))


def head(length: int, *, masked: bool) -> bytes:
    """The beginning of a frame."""
    bit = 0x80 if masked else 0
    if length < 126:
        return bytes((FINAL_BINARY, bit | length))
    if length < 65536:
        return bytes((FINAL_BINARY, bit | 126)) + struct.pack("!H", length)
    return bytes((FINAL_BINARY, bit | 127)) + struct.pack("!Q", length)
