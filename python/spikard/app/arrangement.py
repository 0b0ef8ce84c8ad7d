"""An application made ready for one run of a server: what was registered becomes what runs."""

from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from spikard._spikard import Application, Request, Response
from spikard.app.hooks import compile_gate, compiled, conclusion, route_hooks
from spikard.app.middleware import Core
from spikard.config import RouteConfig, ServerConfig
from spikard.routing.handler_plan import HandlerPlan
from spikard.routing.hooks import Phase
from spikard.routing.plan import WEBSOCKET, compile_plan
from spikard.routing.socket_options import SocketOptions
from spikard.routing.websocket import WebSocket

if TYPE_CHECKING:
    import asyncio

    from spikard.app.application import Spikard

# Limits are those of the routes behind the middleware.
FRONT = RouteConfig(stream_body=True, request_timeout=None, max_body_size=None)

# As large as messages are with the servers that such applications are used to.
MOUNTED_SOCKET = SocketOptions(max_message_size=16 * 1024 * 1024)


@contextmanager
def arranged(app: "Spikard", config: ServerConfig, loop: "asyncio.AbstractEventLoop") -> Iterator[Core]:
    """Put the hooks into the plans of the routes that have any, and the middleware around all.

    The core that the middleware leads to needs its server yet. Threads made for handlers end with the block.
    """
    pools: list[ThreadPoolExecutor] = []

    def threads() -> ThreadPoolExecutor:
        if not pools:
            pools.append(ThreadPoolExecutor(getattr(config, "sync_threads", None), "spikard-sync"))
        return pools[0]

    conclude = conclusion([app._hooks], app)
    native = app._native
    native.set_entry(compile_gate(compiled(Phase.ON_REQUEST, [app._hooks], app), conclude))
    concluded = bool(conclude.on_error or conclude.on_response)
    for index, (route, plan, routers) in enumerate(app._plans):
        hooks = route_hooks(app._hooks, routers, app)
        applied = hooks.applied(plan, partial(_response, native, index, loop), threads)
        if applied is not plan:
            native.replace_plan(index, applied, route)
        if hooks.conclude.on_error or hooks.conclude.on_response:
            concluded = True
            app._conclusions[id(route)] = hooks.conclude
    app._conclusion = conclude if concluded else None
    around_mounts = route_hooks(app._hooks, (), app)
    native.set_mounts(
        [
            (
                mount.prefix,
                around_mounts.applied(_plan(mount.answer, RouteConfig(stream_body=True)), _same, threads),
                around_mounts.applied(_socket_plan(mount.connect), _same, threads),
            )
            for mount in app._mounts
        ]
    )
    core = Core(loop)
    outermost = app._middleware.around(core, loop)
    native.set_front(None if outermost is core else replace(_plan(outermost.answer, FRONT), shares_context=True))
    try:
        yield core
    finally:
        for pool in pools:
            pool.shutdown(wait=False, cancel_futures=True)


def _plan(answer: Callable[[Request], Awaitable[Response]], config: RouteConfig) -> HandlerPlan:
    return compile_plan(answer, method="GET", path="/", config=config)


def _socket_plan(connect: Callable[[WebSocket], Awaitable[Response | None]]) -> HandlerPlan:
    plan = compile_plan(connect, method=WEBSOCKET, path="/")
    return replace(plan, socket=MOUNTED_SOCKET.plan(is_message_style=False, reply_schema=None), response_class=None)


def _same(response: Response) -> Response:
    return response


def _response(native: Application, index: int, loop: "asyncio.AbstractEventLoop", value: Any) -> Response:
    return native.respond(index, value, loop)


__all__ = ["arranged"]
