"""ASGI applications below a path: their requests, and their lifespans."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from spikard._spikard import Request, Response
from spikard.app.asgi_call import AsgiApp, AsgiExchange, Message
from spikard.app.asgi_scope import scope_of
from spikard.app.asgi_socket import AsgiSocket, socket_scope
from spikard.app.middleware import body_of
from spikard.errors import ConfigError
from spikard.routing.websocket import WebSocket

logger = logging.getLogger("spikard.error")


@dataclass(slots=True)
class MountedApp:
    """An application and the path it is mounted at, without the slash at its end."""

    prefix: str
    app: AsgiApp
    # What its lifespan gives to each of its requests.
    state: dict[str, Any] = field(default_factory=dict)

    async def answer(self, request: Request) -> Response:
        """Call the application with a request below its path."""
        exchange = AsgiExchange(body_of(request), sends_body=request.method != "HEAD", context=request.context)
        scope = scope_of(request, root_path=self.prefix, state=dict(self.state))
        return await exchange.answer(self.app, scope)

    async def connect(self, ws: WebSocket) -> Response | None:
        """Call the application with a WebSocket below its path."""
        scope = scope_of(ws.request, root_path=self.prefix, state=dict(self.state))
        return await AsgiSocket(ws).serve(self.app, socket_scope(scope, ws))


def mounted(path: str, app: Any) -> MountedApp:
    """Check what is mounted where."""
    if not path.startswith("/"):
        msg = f"a path starts with a slash: {'/' + path!r}, not {path!r}"
        raise ConfigError(msg)
    if not callable(app):
        msg = f"mount takes an ASGI application, not {app!r}"
        raise ConfigError(msg)
    return MountedApp(path.rstrip("/"), app)


async def call_returned(app: AsgiApp, request: Request) -> Response:
    """Answer with an ASGI application that a handler has returned."""
    exchange = AsgiExchange(body_of(request), sends_body=request.method != "HEAD", context=request.context)
    return await exchange.answer(app, scope_of(request))


@asynccontextmanager
async def lifespans_of(mounts: Iterable[MountedApp]) -> AsyncIterator[None]:
    """Lead all mounted applications through their lifespans, in the order they were mounted."""
    async with AsyncExitStack() as stack:
        for mount in mounts:
            await stack.enter_async_context(lifespan_of(mount))
        yield


@asynccontextmanager
async def lifespan_of(mount: MountedApp) -> AsyncIterator[None]:
    """Lead an application through its lifespan, if it has one."""
    loop = asyncio.get_running_loop()
    to_app: asyncio.Queue[Message] = asyncio.Queue()
    from_app: asyncio.Queue[Message] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": mount.state}

    async def run() -> None:
        await mount.app(scope, to_app.get, from_app.put)

    task = loop.create_task(run(), name=f"lifespan of {mount.prefix or '/'}")
    started = await _step(task, to_app, from_app, "startup")
    try:
        yield
    finally:
        if started:
            await _step(task, to_app, from_app, "shutdown")
        else:
            task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            # What went wrong has been told above, or is how an application says that it has no lifespan.
            task.exception()


async def _step(
    task: "asyncio.Task[None]", to_app: "asyncio.Queue[Message]", from_app: "asyncio.Queue[Message]", name: str
) -> bool:
    """Send one message and wait for its answer; False if the application does not care for lifespans."""
    await to_app.put({"type": f"lifespan.{name}"})
    answer = asyncio.ensure_future(from_app.get())
    await asyncio.wait([task, answer], return_when=asyncio.FIRST_COMPLETED)
    if not answer.done():
        answer.cancel()
        # An application that raises at once, or returns, has no lifespan: that is the rule of ASGI.
        fault = task.exception()
        if name == "shutdown" and fault is not None:
            logger.error("a mounted application failed in its shutdown", exc_info=fault)
        return False
    message = answer.result()
    if not message["type"].startswith(f"lifespan.{name}."):
        return False
    if message["type"] == "lifespan.startup.failed":
        msg = f"a mounted application did not start: {message.get('message', '')}"
        raise ConfigError(msg)
    if message["type"] == "lifespan.shutdown.failed":
        logger.error("a mounted application failed in its shutdown: %s", message.get("message", ""))
    return True


__all__ = ["MountedApp", "call_returned", "lifespan_of", "lifespans_of", "mounted"]
