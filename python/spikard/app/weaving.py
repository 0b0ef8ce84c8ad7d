"""The container's part in serving: its life, and the calls compiled with what it gives."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from spikard.routing.handler_plan import HandlerPlan
from spikard.routing.injection import inject, needs_injection, required_keys
from spikard.routing.route import Declaration
from spikard.routing.socket_route import compile_socket

if TYPE_CHECKING:
    from spikard.app.application import Spikard


@asynccontextmanager
async def container_life(app: "Spikard") -> AsyncIterator[None]:
    """Close the container behind everything else; one that was closed before begins anew."""
    if app.container.is_closed:
        app.container.reopen()
    try:
        yield
    finally:
        await app.container.aclose()


async def prepare(app: "Spikard") -> None:
    """Initialise the container and compile the calls of the routes that it has a part in."""
    container = app.container
    required = {
        index: required_keys(container, declaration.options.dependencies)
        for index, declaration in enumerate(app._declarations)
        if declaration.options.dependencies
    }
    await container.init()
    everywhere = app._uses_container()
    for index, place, declaration in _placed(app):
        keys = required.get(index, ())
        if not (everywhere or keys or index in app._injected):
            continue
        plan, route = _compiled(app, declaration, place)
        if not needs_injection(plan, keys) and index not in app._injected:
            continue
        app._injected.add(index)
        if needs_injection(plan, keys):
            plan = inject(plan, container, keys)
        app._plans[index] = (route, plan, declaration.hooks)
        app._native.replace_plan(index, plan, route)


def _placed(app: "Spikard") -> Iterator[tuple[int, int | None, Declaration]]:
    """Each registration with its place in the native order, and among the routes unless it is a WebSocket."""
    place = 0
    for index, declaration in enumerate(app._declarations):
        if declaration.options.socket is None:
            yield index, place, declaration
            place += 1
        else:
            yield index, None, declaration


def _compiled(app: "Spikard", declaration: Declaration, place: int | None) -> tuple[HandlerPlan, Any]:
    socket = declaration.options.socket
    if place is None and socket is not None:
        return compile_socket(declaration, socket, app.container.provides)
    return app._compiled(declaration), app._routes[place or 0]


__all__ = ["container_life", "prepare"]
