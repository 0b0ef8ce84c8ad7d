"""A WebSocket, as its handler sees it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec

from spikard._spikard import Headers, QueryParams, Request, SocketLink
from spikard.datastructures import Cookies
from spikard.errors import WebSocketDisconnect

NORMAL = 1000
UNSUPPORTED_DATA = 1003


class WebSocket:
    """An open connection for messages in both directions.

        @app.websocket("/echo")
        async def echo(ws: WebSocket) -> None:
            await ws.accept()
            async for text in ws.iter_text():
                await ws.send_text(text)

    Once the client is gone, whatever waits raises `WebSocketDisconnect`. Leaving the handler closes the socket.
    """

    def __init__(self, link: SocketLink, request: Request) -> None:
        self._link = link
        self.request = request

    @property
    def headers(self) -> Headers:
        """The headers of the handshake."""
        return self.request.headers

    @property
    def query_params(self) -> QueryParams:
        """The query parameters of the handshake."""
        return self.request.query_params

    @property
    def path_params(self) -> dict[str, Any]:
        """The path parameters of the handshake."""
        return self.request.path_params

    @property
    def cookies(self) -> Cookies:
        """The cookies of the handshake."""
        return self.request.cookies

    @property
    def client(self) -> tuple[str, int] | None:
        """Address and port of the client."""
        return self.request.client

    @property
    def url(self) -> str:
        """The address of the socket."""
        return "ws" + self.request.url.removeprefix("http")

    @property
    def state(self) -> Any:
        """A place for values that belong to this connection."""
        return self.request.state

    @property
    def app(self) -> Any:
        """The application."""
        return self.request.app

    @property
    def user(self) -> Any:
        """Who the handshake was authenticated as."""
        return self.request.user

    @property
    def auth(self) -> Any:
        """How the handshake was authenticated."""
        return self.request.auth

    @property
    def request_id(self) -> str | None:
        """The id of the handshake."""
        return self.request.request_id

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol that was agreed upon."""
        return self._link.subprotocol

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent."""
        return self._link.is_open

    @property
    def close_code(self) -> int | None:
        """The code it was closed with; None while it is open."""
        closure = self._link.closure
        return None if closure is None else closure[0]

    async def accept(self, subprotocol: str | None = None, headers: Mapping[str, str] | Headers | None = None) -> None:
        """Agree to the handshake; without a subprotocol it is the first of the route's that the client speaks."""
        self._link.accept(subprotocol, headers)

    async def receive(self) -> str | bytes:
        """The next message: text or bytes, as it was sent."""
        link = self._link
        while (message := link.take()) is None:
            arrived = asyncio.get_running_loop().create_future()
            if link.wait(arrived):
                await arrived
        return message

    async def receive_text(self) -> str:
        """The next message, which has to be text; others close the socket with 1003."""
        message = await self.receive()
        if isinstance(message, str):
            return message
        reason = "text was expected"
        self._link.close(UNSUPPORTED_DATA, reason)
        raise WebSocketDisconnect(UNSUPPORTED_DATA, reason)

    async def receive_bytes(self) -> bytes:
        """The next message as bytes; text is UTF-8."""
        message = await self.receive()
        return message.encode() if isinstance(message, str) else message

    async def receive_json(self) -> Any:
        """The next message, read as JSON; ValueError when it is none."""
        return msgspec.json.decode(await self.receive())

    async def iter_messages(self) -> AsyncIterator[str | bytes]:
        """The messages until the client is gone."""
        try:
            while True:
                yield await self.receive()
        except WebSocketDisconnect:
            return

    async def iter_text(self) -> AsyncIterator[str]:
        """The messages until the client is gone, as `receive_text`."""
        try:
            while True:
                yield await self.receive_text()
        except WebSocketDisconnect:
            return

    async def iter_bytes(self) -> AsyncIterator[bytes]:
        """The messages until the client is gone, as `receive_bytes`."""
        try:
            while True:
                yield await self.receive_bytes()
        except WebSocketDisconnect:
            return

    async def iter_json(self) -> AsyncIterator[Any]:
        """The messages until the client is gone, as `receive_json`."""
        try:
            while True:
                yield await self.receive_json()
        except WebSocketDisconnect:
            return

    def __aiter__(self) -> AsyncIterator[str | bytes]:
        return self.iter_messages()

    async def send(self, data: str | bytes) -> None:
        """Send text or bytes. Waits while the client is behind with its reading."""
        while not self._link.send(data):
            await self._room()

    async def send_text(self, data: str) -> None:
        """Send text."""
        await self.send(data)

    async def send_bytes(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes."""
        while not self._link.send(data):
            await self._room()

    async def send_json(self, value: Any) -> None:
        """Send a value as JSON."""
        while not self._link.send_json(value):
            await self._room()

    async def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Close after what has been sent; before `accept` it refuses the handshake with 403."""
        self._link.close(code, reason)

    async def _room(self) -> None:
        room = asyncio.get_running_loop().create_future()
        if self._link.wait_for_room(room):
            await room

    def __repr__(self) -> str:
        return f"<WebSocket {self.request.path}>"


__all__ = ["WebSocket", "WebSocketDisconnect"]
