"""WebSockets that another ASGI server has taken, led through this process to the native code.

They arrive there over a connection in memory, as WebSockets do, so that handlers, limits and gates are the same.
"""

import asyncio
import base64
import secrets
from collections.abc import Awaitable, Callable
from typing import TypeVar

from spikard._spikard import MemoryStream, Server
from spikard.app.asgi_call import Message, Receive, Scope, Send
from spikard.app.asgi_scope import address_of, target_of
from spikard.app.frames import BINARY, CLOSE, PING, PONG, TEXT, Frames, close_payload, frame, read_close

T = TypeVar("T")

READ_SIZE = 65_536
SWITCHING_PROTOCOLS = 101
NO_CODE, ABNORMAL, INTERNAL = 1005, 1006, 1011
# Headers that the connection in memory has of its own, on the way in and on the way out.
OWN = frozenset({b"connection", b"upgrade", b"keep-alive", b"transfer-encoding", b"content-length", b"expect"})
OWN_OUT = OWN | {b"date", b"sec-websocket-accept", b"sec-websocket-protocol", b"sec-websocket-extensions"}


class Bridge:
    """One WebSocket between an outer server and ours."""

    def __init__(self, server: Server, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._stream: MemoryStream = server.connect_memory(
            secure=scope.get("scheme") == "wss",
            client=address_of(scope.get("client")),
            server=address_of(scope.get("server")),
        )
        self._frames = Frames()
        self._is_gone = False

    async def run(self) -> None:
        """Shake hands, then carry messages until one side is gone."""
        await self._receive()
        try:
            await self._write(self._handshake())
            head = await self._head()
            if head is None:
                await self._send({"type": "websocket.close", "code": INTERNAL, "reason": ""})
                return
            status, headers = head
            if status != SWITCHING_PROTOCOLS:
                await self._refuse(status, headers)
                return
            named = [value for name, value in headers if name == b"sec-websocket-protocol"]
            await self._send(
                {
                    "type": "websocket.accept",
                    "subprotocol": named[0].decode("latin-1") if named else None,
                    "headers": _others(headers),
                }
            )
            await self._carry()
        finally:
            self._stream.close()

    async def _carry(self) -> None:
        inward, outward = asyncio.ensure_future(self._inward()), asyncio.ensure_future(self._outward())
        try:
            await asyncio.wait([inward, outward], return_when=asyncio.FIRST_COMPLETED)
            if inward.done() and not inward.exception():
                # The handler may have to say something to that; its connection ends when it has.
                await outward
        finally:
            for task in (inward, outward):
                task.cancel()
            await asyncio.wait([inward, outward])
        for task in (inward, outward):
            if not task.cancelled() and (fault := task.exception()) is not None:
                raise fault

    async def _inward(self) -> None:
        """From the client to the handler."""
        while (message := await self._receive())["type"] == "websocket.receive":
            text = message.get("text")
            await self._write(frame(BINARY, message["bytes"]) if text is None else frame(TEXT, text.encode()))
        self._is_gone = True
        code = message.get("code", NO_CODE)
        if code == ABNORMAL:
            self._stream.close()
        else:
            await self._write(frame(CLOSE, close_payload(code, message.get("reason") or "")))

    async def _outward(self) -> None:
        """From the handler to the client."""
        while True:
            for opcode, payload in self._frames.take():
                if opcode == CLOSE:
                    code, reason = read_close(payload)
                    await self._tell({"type": "websocket.close", "code": code, "reason": reason})
                    await self._write(frame(CLOSE, payload))
                    return
                if opcode == PING:
                    await self._write(frame(PONG, payload))
                elif opcode == TEXT:
                    await self._tell({"type": "websocket.send", "text": payload.decode()})
                elif opcode == BINARY:
                    await self._tell({"type": "websocket.send", "bytes": payload})
            data = await self._read()
            if not data:
                await self._tell({"type": "websocket.close", "code": INTERNAL, "reason": ""})
                return
            self._frames.feed(data)

    async def _tell(self, message: Message) -> None:
        # To a client that is gone nothing may be sent; the handler learns it on its own side.
        if not self._is_gone:
            await self._send(message)

    def _handshake(self) -> bytes:
        subprotocols = ", ".join(self._scope.get("subprotocols", ()))
        lines = [b"GET %s HTTP/1.1" % target_of(self._scope).encode("latin-1")]
        for name, value in self._scope["headers"]:
            if name not in OWN and not name.startswith(b"sec-websocket-"):
                lines.append(b"%s: %s" % (name, value))
        if not any(name == b"host" for name, _ in self._scope["headers"]):
            lines.append(b"host: localhost")
        lines += [
            b"connection: upgrade",
            b"upgrade: websocket",
            b"sec-websocket-version: 13",
            b"sec-websocket-key: " + base64.b64encode(secrets.token_bytes(16)),
        ]
        if subprotocols:
            lines.append(b"sec-websocket-protocol: " + subprotocols.encode("latin-1"))
        if any(b"\r" in line or b"\n" in line for line in lines):
            # It would say more to the server within than the one outside has meant.
            raise ValueError("a scope of a WebSocket has a line break in its path or in a header")
        return b"\r\n".join(lines) + b"\r\n\r\n"

    async def _head(self) -> tuple[int, list[tuple[bytes, bytes]]] | None:
        """Status and headers of the answer; what follows goes to the frames. None if there is none."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = await self._read()
            if not more:
                return None
            data += more
        head, _, rest = data.partition(b"\r\n\r\n")
        self._frames.feed(rest)
        status, *lines = head.split(b"\r\n")
        fields = (line.partition(b":") for line in lines)
        return int(status.split(b" ")[1]), [(name.lower(), value.strip()) for name, _, value in fields]

    async def _refuse(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        if "websocket.http.response" not in self._scope.get("extensions", {}):
            # All that ASGI knows without that extension: the server answers with 403.
            await self._send({"type": "websocket.close", "code": 1000, "reason": ""})
            return
        length = int(next((value for name, value in headers if name == b"content-length"), b"0"))
        body = self._frames.rest()
        while len(body) < length and (more := await self._read()):
            body += more
        kept = [*_others(headers), (b"content-length", b"%d" % len(body))]
        await self._send({"type": "websocket.http.response.start", "status": status, "headers": kept})
        await self._send({"type": "websocket.http.response.body", "body": body})

    async def _read(self) -> bytes:
        """What has come; empty at the end."""
        read: Awaitable[bytes | None] = _called(lambda done: self._stream.read(READ_SIZE, done))
        return await read or b""

    async def _write(self, data: bytes) -> None:
        # A connection that takes nothing any more has an end to be read.
        written: Awaitable[bool] = _called(lambda done: self._stream.write(data, done))
        await written


def _others(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in headers if name not in OWN_OUT]


def _called(start: Callable[[Callable[[T], None]], None]) -> Awaitable[T]:
    future: asyncio.Future[T] = asyncio.get_running_loop().create_future()

    def done(result: T) -> None:
        if not future.done():
            future.set_result(result)

    start(done)
    return future


__all__ = ["Bridge"]
