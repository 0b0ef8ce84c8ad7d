"""An application made ready for one run of a server: what was registered becomes what runs."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from spikard._spikard import Application, Response
from spikard.app.hooks import compile_gate, compiled, conclusion, route_hooks
from spikard.config import ServerConfig
from spikard.routing.hooks import Phase

if TYPE_CHECKING:
    import asyncio

    from spikard.app.application import Spikard


@contextmanager
def arranged(app: "Spikard", config: ServerConfig, loop: "asyncio.AbstractEventLoop") -> Iterator[None]:
    """Put the hooks into the plans of the routes that have any; threads made for handlers end with the block."""
    pools: list[ThreadPoolExecutor] = []

    def threads() -> ThreadPoolExecutor:
        if not pools:
            pools.append(ThreadPoolExecutor(getattr(config, "sync_threads", None), "spikard-sync"))
        return pools[0]

    conclude = conclusion([app._hooks], app)
    native = app._native
    native.set_entry(compile_gate(compiled(Phase.ON_REQUEST, [app._hooks], app), conclude))
    concluded = bool(conclude.on_error or conclude.on_response)
    # WebSockets stand between the other routes in the native order.
    positions = [index for index, known in enumerate(app._declarations) if known.options.socket is None]
    for index, route, (plan, routers) in zip(positions, app._routes, app._plans, strict=True):
        hooks = route_hooks(app._hooks, routers, app)
        applied = hooks.applied(plan, partial(_response, native, index, loop), threads)
        if applied is not plan:
            native.replace_plan(index, applied, route)
        if hooks.conclude.on_error or hooks.conclude.on_response:
            concluded = True
            app._conclusions[id(route)] = hooks.conclude
    app._conclusion = conclude if concluded else None
    try:
        yield
    finally:
        for pool in pools:
            pool.shutdown(wait=False, cancel_futures=True)


def _response(native: Application, index: int, loop: "asyncio.AbstractEventLoop", value: Any) -> Response:
    return native.respond(index, value, loop)


__all__ = ["arranged"]
