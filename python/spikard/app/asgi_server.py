"""Spikard under another ASGI server: the native pipeline in this process, without sockets."""

import asyncio
import contextvars
from typing import TYPE_CHECKING, Any

from spikard._spikard import Response
from spikard.app.asgi_bridge import Bridge
from spikard.app.asgi_call import Message, Receive, Scope, Send
from spikard.app.asgi_scope import chunks_of, request_of
from spikard.app.middleware import ASGI_BODY, Core, has_body, send_response
from spikard.app.serving import Listening, Stop, serve

if TYPE_CHECKING:
    from spikard.app.application import Spikard


class AsgiServer:
    """Serves an application in one event loop for whoever calls it with ASGI messages."""

    def __init__(self, app: "Spikard") -> None:
        self._app = app
        self._loop = asyncio.get_running_loop()
        self._stop = Stop()
        self._serving: asyncio.Task[None] | None = None
        self._ready: asyncio.Future[Listening] = self._loop.create_future()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take what the outer server has."""
        match scope["type"]:
            case "http":
                await self.http(scope, receive, send)
            case "lifespan":
                await self.lifespan(receive, send)
            case "websocket":
                await self.start()
                await Bridge(self._ready.result().server, scope, receive, send).run()
            case kind:
                raise RuntimeError(f"there is no answer to a scope of type {kind!r}")

    async def start(self) -> None:
        """Run the start-up, once; what fails there comes out here."""
        if self._serving is None:
            self._serving = self._loop.create_task(
                serve(self._app, self._app.config, ready=self._ready.set_result, stop=self._stop, memory=True),
                name="spikard-asgi",
            )
        if not self._ready.done():
            waiting: list[asyncio.Future[Any]] = [self._serving, self._ready]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if not self._ready.done():
            await self._serving
            raise RuntimeError("the application stopped before it was ready")

    async def stop(self) -> None:
        """Drain and run the shutdown."""
        self._stop.request()
        if self._serving is not None:
            await self._serving

    async def lifespan(self, receive: Receive, send: Send) -> None:
        """Follow the lifespan of the outer server."""
        await receive()
        try:
            await self.start()
        except Exception as fault:
            await send({"type": "lifespan.startup.failed", "message": str(fault)})
            raise
        await send({"type": "lifespan.startup.complete"})
        await receive()
        try:
            await self.stop()
        except Exception as fault:
            await send({"type": "lifespan.shutdown.failed", "message": str(fault)})
            raise
        await send({"type": "lifespan.shutdown.complete"})

    async def http(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self.start()
        core = Core(self._loop, self._ready.result().server, is_led_on=False)
        channel = Channel(receive)
        try:
            request = request_of(scope)
        except ValueError as fault:
            await send_response(Response({"detail": str(fault)}, 400), scope, send, self._loop)
            return
        # Middleware and handlers run in tasks of their own, all of them with what is set here.
        request.context = contextvars.copy_context()
        if has_body(request):
            request.__dict__[ASGI_BODY] = chunks_of(channel.receive)
        else:
            channel.is_read.set()
        answering = self._loop.create_task(core.answer(request))
        watching = self._loop.create_task(channel.watch())
        try:
            await asyncio.wait([answering, watching], return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                # The client has gone; so does the handler.
                answering.cancel()
                return
            sending = self._loop.create_task(send_response(answering.result(), scope, send, self._loop))
            await asyncio.wait([sending, watching], return_when=asyncio.FIRST_COMPLETED)
            if not sending.done():
                sending.cancel()
                return
            await sending
        finally:
            watching.cancel()
            answering.cancel()


class Channel:
    """The receive channel of a request, and the news that its client has gone."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.is_read = asyncio.Event()

    async def receive(self) -> Message:
        """The next message of the body."""
        message = await self._receive()
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            self.is_read.set()
        return message

    async def watch(self) -> None:
        """Wait until the client has gone; only once the body has been read, for there is one channel for both."""
        await self.is_read.wait()
        # An empty body may be there unread. A server that goes on sending its end has no such news: asking again and
        # again might never let others run.
        for _ in range(2):
            if (await self._receive())["type"] == "http.disconnect":
                return
        await asyncio.get_running_loop().create_future()


__all__ = ["AsgiServer"]
