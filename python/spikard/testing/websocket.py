"""A WebSocket as a test uses it: the protocol of the library `websockets` over a network of our choice."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self

import httpcore
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed, ConnectionClosedOK
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.uri import parse_uri

READ_SIZE = 65536
DATA = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)


class WebSocketConnection:
    """An open WebSocket. Once it is closed, `recv` and `send` raise `websockets.ConnectionClosed`."""

    def __init__(self, protocol: ClientProtocol, stream: httpcore.AsyncNetworkStream, timeout: float | None) -> None:
        self._protocol = protocol
        self._stream = stream
        self._timeout = timeout
        self._messages: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self._parts: list[bytes] = []
        self._is_text = False
        self._writing = asyncio.Lock()
        self._reader: asyncio.Task[None] | None = None
        self.response: Response | None = None

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol that was agreed upon."""
        return self._protocol.subprotocol

    @property
    def close_code(self) -> int | None:
        """The code it was closed with; None while it is open."""
        return self._protocol.close_code

    @property
    def close_reason(self) -> str | None:
        """The reason it was closed with; None while it is open."""
        return self._protocol.close_reason

    async def send(self, message: str | bytes) -> None:
        """Send text or bytes."""
        await self._check_open()
        if isinstance(message, str):
            self._protocol.send_text(message.encode())
        else:
            self._protocol.send_binary(message)
        await self._flush()

    async def recv(self) -> str | bytes:
        """The next message."""
        async with asyncio.timeout(self._timeout):
            message = await self._messages.get()
        if message is None:
            # For whoever asks again.
            self._messages.put_nowait(None)
            raise self._protocol.close_exc
        return message

    async def send_json(self, value: Any) -> None:
        """Send a value as JSON."""
        await self.send(json.dumps(value))

    async def receive_json(self) -> Any:
        """The next message, read as JSON."""
        return json.loads(await self.recv())

    async def ping(self, data: bytes = b"") -> None:
        """Send a ping."""
        await self._check_open()
        self._protocol.send_ping(data)
        await self._flush()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close, and wait for the other side to agree."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(code, reason)
            await self._flush()
        if self._reader is not None:
            async with asyncio.timeout(self._timeout):
                await asyncio.wait({self._reader})
        await self._stream.aclose()

    async def wait_closed(self) -> None:
        """Wait until the server closes it."""
        if self._reader is not None:
            async with asyncio.timeout(self._timeout):
                await asyncio.shield(self._reader)

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        try:
            while True:
                yield await self.recv()
        except ConnectionClosedOK:
            return

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *fault: object) -> None:
        await self.close()

    async def open(self, headers: Mapping[str, str]) -> None:
        """Shake hands; `websockets.InvalidStatus` has the answer of a server that does not want to."""
        request = self._protocol.connect()
        request.headers.update(headers)
        self._protocol.send_request(request)
        await self._flush()
        while self.response is None:
            async with asyncio.timeout(self._timeout):
                await self._receive()
            if self._protocol.handshake_exc is not None:
                await self._stream.aclose()
                raise self._protocol.handshake_exc
        self._reader = asyncio.create_task(self._read(), name="spikard-test-websocket")

    async def drop(self) -> None:
        """Cut the connection without a word."""
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.wait({self._reader})
        await self._stream.aclose()

    async def _read(self) -> None:
        try:
            while self._protocol.state is not State.CLOSED:
                await self._receive()
        finally:
            self._messages.put_nowait(None)

    async def _receive(self) -> None:
        try:
            data = await self._stream.read(READ_SIZE)
        except httpcore.ReadError:
            data = b""
        if data:
            self._protocol.receive_data(data)
        else:
            self._protocol.receive_eof()
        # Pongs and the answer to a close.
        await self._flush()
        for event in self._protocol.events_received():
            if isinstance(event, Response):
                self.response = event
            elif isinstance(event, Frame) and event.opcode in DATA:
                self._take(event)

    def _take(self, frame: Frame) -> None:
        if frame.opcode is not Opcode.CONT:
            self._is_text = frame.opcode is Opcode.TEXT
        self._parts.append(bytes(frame.data))
        if frame.fin:
            data, self._parts = b"".join(self._parts), []
            self._messages.put_nowait(data.decode() if self._is_text else data)

    async def _flush(self) -> None:
        async with self._writing:
            for data in self._protocol.data_to_send():
                try:
                    # Empty data ends the stream, which the client leaves to the server.
                    if data:
                        await self._stream.write(data)
                except httpcore.WriteError:
                    return

    async def _check_open(self) -> None:
        if self._protocol.state is not State.OPEN:
            await self.wait_closed()
            raise self._protocol.close_exc


@asynccontextmanager
async def open_websocket(
    network: httpcore.AsyncNetworkBackend,
    url: str,
    *,
    headers: Mapping[str, str],
    subprotocols: Sequence[str] | None,
    compression: bool,
    timeout: float | None,  # noqa: ASYNC109 - for every step
) -> AsyncIterator[WebSocketConnection]:
    """Connect for the length of a block."""
    uri = parse_uri(url)
    protocol = ClientProtocol(
        uri,
        subprotocols=subprotocols,  # type: ignore[arg-type]
        extensions=[ClientPerMessageDeflateFactory()] if compression else None,
        max_size=None,
    )
    stream = await network.connect_tcp(uri.host, uri.port, timeout=timeout)
    connection = WebSocketConnection(protocol, stream, timeout)
    try:
        await connection.open(headers)
    except BaseException:
        await stream.aclose()
        raise
    try:
        yield connection
    finally:
        await connection.close()


__all__ = ["ConnectionClosed", "WebSocketConnection", "open_websocket"]
