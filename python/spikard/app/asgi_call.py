"""Calling an ASGI application: one request in, one response out, bodies streamed both ways."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextvars import Context
from typing import Any

from spikard import background
from spikard._spikard import Headers, Response
from spikard.responses.streaming import StreamingResponse

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

logger = logging.getLogger("spikard.error")


class AsgiResponse(StreamingResponse):
    """The streamed answer of an ASGI application, which knows best how long it is."""

    has_length = True


class AsgiExchange:
    """One call of an application; `receive` and `send` are its ends."""

    def __init__(
        self, chunks: AsyncIterator[bytes] | None, *, sends_body: bool, context: Context | None = None
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._chunks = chunks
        self._sends_body = sends_body
        self._context = context
        self._is_read = False
        self._is_gone = False
        # Set when nothing more can be sent: the client has everything, or has gone.
        self._over = asyncio.Event()
        self._head: Message | None = None
        self._is_complete = False
        # Done when there is enough for a response: the whole body, or True for a stream.
        self._first: asyncio.Future[bytes | bool] = self._loop.create_future()
        self._chunk: bytes | None = None
        self._room: asyncio.Future[None] | None = None
        self._wanted: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None

    async def answer(self, app: AsgiApp, scope: Scope) -> Response:
        """Run the application until there is a response; it goes on by itself while the body is sent."""
        self._task = self._loop.create_task(_run(app, scope, self), context=self._context)
        # It may do its background work when the answer is long gone.
        background.keep(self._task)
        self._task.add_done_callback(self._ended)
        try:
            first = await self._first
        except asyncio.CancelledError:
            # The client has gone, or time is up.
            self._task.cancel()
            raise
        head = self._head or {}
        status, headers = head["status"], headers_of(head.get("headers", ()))
        if first is True:
            return AsgiResponse(AsgiBody(self, self._loop), status, headers)
        return Response(first or None, status, headers)

    async def receive(self) -> Message:
        """The next part of the request's body, and at last that the client has gone."""
        if not self._is_read and self._chunks is not None:
            chunk = await anext(self._chunks, None)
            if chunk is not None:
                return {"type": "http.request", "body": chunk, "more_body": True}
        if not self._is_read:
            self._is_read = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._over.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Take a part of the answer; waits until the client has taken the one before."""
        if self._is_gone:
            raise OSError("the client has gone")
        match message["type"]:
            case "http.response.start" if self._head is None:
                self._head = message
            case "http.response.body" if self._head is not None and not self._is_complete:
                await self._send_body(bytes(message.get("body", b"")), more=message.get("more_body", False))
            case kind:
                raise RuntimeError(f"an ASGI application sent {kind!r} when it was not its turn")

    async def _send_body(self, body: bytes, *, more: bool) -> None:
        if not self._first.done():
            self._complete(more)
            if not more or not self._sends_body:
                self._first.set_result(body if self._sends_body else b"")
                return
            self._first.set_result(True)
        elif not self._sends_body:
            self._complete(more)
            return
        while self._chunk is not None:
            self._room = self._loop.create_future()
            await self._room
            if self._is_gone:
                raise OSError("the client has gone")
        self._chunk = body or None
        self._complete(more)
        self._tell(self._wanted)

    def _complete(self, more: bool) -> None:
        if not more:
            self._is_complete = True
            self._over.set()

    async def take(self) -> bytes | None:
        """The next chunk for the client; None at the end."""
        while self._chunk is None:
            if self._is_complete:
                return None
            if self._task is None or self._task.done():
                raise RuntimeError("an ASGI application ended before its answer was complete")
            self._wanted = self._loop.create_future()
            await self._wanted
        chunk, self._chunk = self._chunk, None
        self._tell(self._room)
        return chunk

    def leave(self) -> None:
        """Nobody takes chunks any more."""
        self._is_gone = True
        self._over.set()
        self._tell(self._room)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        fault = None if task.cancelled() else task.exception()
        if not self._first.done():
            self._first.set_exception(fault or RuntimeError("an ASGI application ended without an answer"))
            # Nobody may be left to look at it.
            self._first.exception()
        elif fault is not None and not (self._is_gone and isinstance(fault, OSError)):
            logger.error("an ASGI application failed after its answer had begun", exc_info=fault)
        self._tell(self._wanted)

    @staticmethod
    def _tell(waiting: "asyncio.Future[None] | None") -> None:
        if waiting is not None and not waiting.done():
            waiting.set_result(None)


class AsgiBody:
    """The body of an answer as an iterator; letting go of it ends the exchange."""

    def __init__(self, exchange: AsgiExchange, loop: asyncio.AbstractEventLoop) -> None:
        self._exchange = exchange
        self._loop = loop

    def __aiter__(self) -> "AsgiBody":
        return self

    async def __anext__(self) -> bytes:
        chunk = await self._exchange.take()
        if chunk is None:
            raise StopAsyncIteration
        return chunk

    async def aclose(self) -> None:
        """Tell the application that the client has gone, or has everything."""
        self._exchange.leave()

    def __del__(self) -> None:
        # A body that was never begun, as for HEAD, is closed by nobody; and this may be another thread.
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._exchange.leave)


async def _run(app: AsgiApp, scope: Scope, exchange: AsgiExchange) -> None:
    await app(scope, exchange.receive, exchange.send)


def headers_of(pairs: Any) -> Headers:
    """Headers from the pairs of bytes that ASGI has."""
    return Headers([(bytes(name).decode("latin-1"), _text(bytes(value))) for name, value in pairs])


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


__all__ = ["AsgiApp", "AsgiExchange", "Message", "Receive", "Scope", "Send", "headers_of"]
