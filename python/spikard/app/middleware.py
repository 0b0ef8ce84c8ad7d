"""Middleware: layers around the whole application, each of which leads requests on to the next.

A layer gives a response for a request. ASGI middleware is one by being called with a scope made of the request; what it
calls in turn is the next layer, dressed as an ASGI application.
"""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from spikard import background
from spikard._spikard import AnswerBody, FileResponse, Request, Response, Server, render_response
from spikard.app.asgi_call import AsgiApp, AsgiExchange, Receive, Scope, Send
from spikard.app.asgi_scope import REQUEST, chunks_of, request_of, scope_of
from spikard.errors import ConfigError
from spikard.routing.route import is_async

# Statuses whose answers have no body, and no length of one.
BODILESS = frozenset({*range(100, 200), 204, 205, 304})

# Where a request carries the body that ASGI middleware gives it.
ASGI_BODY = "asgi_body"

# Bytes of a file that are read at once.
FILE_CHUNK = 131_072

CallNext = Callable[[Request], Awaitable[Response]]


class Layer(Protocol):
    """Something that answers requests."""

    async def answer(self, request: Request) -> Response:
        """The response to a request."""


@dataclass(frozen=True, slots=True)
class RegisteredMiddleware:
    """Middleware as it was added."""

    middleware: Callable[..., Any]
    options: dict[str, Any]


@dataclass(slots=True)
class Core:
    """The way into native code, to routes, hooks and all; there when the server is."""

    loop: asyncio.AbstractEventLoop
    server: Server | None = None
    # False for requests of other servers, which go through all middleware yet.
    is_led_on: bool = True

    async def answer(self, request: Request) -> Response:
        """Lead a request on to its route."""
        if self.server is None:
            raise RuntimeError("the server has not been started")
        answered: asyncio.Future[Any] = self.loop.create_future()

        def done(result: Any) -> None:
            if not answered.done():
                answered.set_result(result)

        exchange = self.server.exchange(request, body_of(request), self.loop, done, self.is_led_on)
        try:
            response = await answered
        except asyncio.CancelledError:
            exchange.abort()
            raise
        if not isinstance(response, Response):
            raise response
        reader = getattr(response, "body_reader", None)
        if reader is not None:
            vars(response).update(iterator=CoreBody(reader, self.loop), has_length=True)
        return response


class CoreBody:
    """The body of an answer that is still being made."""

    def __init__(self, reader: AnswerBody, loop: asyncio.AbstractEventLoop) -> None:
        self._reader: AnswerBody | None = reader
        self._loop = loop

    def __aiter__(self) -> "CoreBody":
        return self

    async def __anext__(self) -> bytes:
        piece: asyncio.Future[Any] = self._loop.create_future()

        def done(result: Any) -> None:
            if not piece.done():
                piece.set_result(result)

        if self._reader is None or not self._reader.read(done):
            raise StopAsyncIteration
        result = await piece
        if result is None:
            raise StopAsyncIteration
        if isinstance(result, BaseException):
            raise result
        piece_bytes: bytes = result
        return piece_bytes

    async def aclose(self) -> None:
        """Let go of the body."""
        self._reader = None


@dataclass(frozen=True, slots=True)
class FunctionLayer:
    """`async def middleware(request, call_next)`."""

    function: Callable[..., Awaitable[Response]]
    inner: Layer

    async def answer(self, request: Request) -> Response:
        """What the function makes of the request."""
        response = await self.function(request, self.inner.answer)
        if not isinstance(response, Response):
            name = getattr(self.function, "__qualname__", repr(self.function))
            msg = f"middleware {name} returned {type(response).__name__}; it has to return a Response"
            raise TypeError(msg)
        return response


@dataclass(frozen=True, slots=True)
class AsgiLayer:
    """ASGI middleware, or an application, as a layer."""

    app: AsgiApp

    async def answer(self, request: Request) -> Response:
        """Call it with the scope of the request."""
        exchange = AsgiExchange(body_of(request), sends_body=request.method != "HEAD", context=request.context)
        # What middleware leaves in the scope's state is there in `request.state`.
        scope = scope_of(request, state=request.state)
        return await exchange.answer(self.app, scope | {REQUEST: request})


@dataclass(frozen=True, slots=True)
class AsgiFace:
    """A layer as an ASGI application."""

    inner: Layer
    loop: asyncio.AbstractEventLoop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise RuntimeError(f"this application does not serve {scope['type']!r}")
        request = request_of(scope)
        request.__dict__[ASGI_BODY] = chunks_of(receive)
        await send_response(await self.inner.answer(request), scope, send, self.loop)


async def send_response(response: Response, scope: Scope, send: Send, loop: asyncio.AbstractEventLoop) -> None:
    """Send a response the ASGI way, then do its background work."""
    status, headers, body = render_response(response, loop)
    if body is not None and status not in BODILESS and not any(name == b"content-length" for name, _ in headers):
        headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    if body is not None or scope["method"] == "HEAD":
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
    else:
        await _send_stream(response, send)
    if response.background is not None:
        background.run_after(response.background)


async def _send_stream(response: Any, send: Send) -> None:
    chunks = _file_chunks(response) if isinstance(response, FileResponse) else response.iterator
    if not hasattr(chunks, "__aiter__"):
        chunks = _threaded(chunks)
    try:
        async for chunk in chunks:
            data = chunk.encode() if isinstance(chunk, str) else bytes(chunk)
            await send({"type": "http.response.body", "body": data, "more_body": True})
    finally:
        close = getattr(chunks, "aclose", None)
        if close is not None:
            await close()
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _file_chunks(response: FileResponse) -> AsyncIterator[bytes]:
    # The server itself sends files without Python; here an ASGI layer wants to see the bytes.
    file = await asyncio.to_thread(response.path.open, "rb")
    try:
        while chunk := await asyncio.to_thread(file.read, FILE_CHUNK):
            yield chunk
    finally:
        file.close()


async def _threaded(iterable: Any) -> AsyncIterator[Any]:
    iterator, end = iter(iterable), object()
    while (chunk := await asyncio.to_thread(next, iterator, end)) is not end:
        yield chunk


def has_body(request: Request) -> bool:
    """Whether a body is announced, or may come unannounced, as HTTP/2 allows."""
    headers = request.headers
    announced = headers.get("content-length", None if request.http_version == "2" else "0")
    return announced != "0" or "transfer-encoding" in headers


def body_of(request: Request) -> AsyncIterator[bytes] | None:
    """The body on its way to the next layer; None where there is none."""
    given: AsyncIterator[bytes] | None = request.__dict__.pop(ASGI_BODY, None)
    if not has_body(request):
        return None
    if given is not None:
        return given
    return request.stream()


@dataclass(slots=True)
class MiddlewareStack:
    """All middleware of an application, in the order it was added."""

    registered: list[RegisteredMiddleware] = field(default_factory=list)

    def add(self, middleware: Callable[..., Any], options: dict[str, Any]) -> None:
        """Add an ASGI middleware class, a function that wraps an application, or `async def (request, call_next)`."""
        if not callable(middleware):
            msg = f"add_middleware takes a class or a function, not {middleware!r}"
            raise ConfigError(msg)
        self.registered.append(RegisteredMiddleware(middleware, options))

    def around(self, core: Layer, loop: asyncio.AbstractEventLoop) -> Layer:
        """The layers; what was added last is the outermost."""
        layer = core
        for added in self.registered:
            layer = _layer(added, layer, loop)
        return layer


def _layer(added: RegisteredMiddleware, inner: Layer, loop: asyncio.AbstractEventLoop) -> Layer:
    middleware, options = added.middleware, added.options
    if not inspect.isclass(middleware) and is_async(middleware):
        return FunctionLayer(partial(middleware, **options) if options else middleware, inner)
    return AsgiLayer(middleware(AsgiFace(inner, loop), **options))


__all__ = [
    "ASGI_BODY",
    "AsgiFace",
    "AsgiLayer",
    "Core",
    "Layer",
    "MiddlewareStack",
    "body_of",
    "has_body",
    "send_response",
]
