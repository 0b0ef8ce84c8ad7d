"""The container's part in serving: its life, and the calls compiled with what it gives."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from spikard.errors import SpikardError
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
    required = {index: _required(app, declaration) for index, declaration in enumerate(app._declarations)}
    await app.container.init()
    for index, place, declaration in _placed(app):
        _weave(app, index, place, declaration, required[index])


def faults_of(app: "Spikard") -> Iterator[Exception]:
    """What `prepare` would stumble over, all of it, without building anything."""
    required: dict[int, tuple[Any, ...]] = {}
    for index, declaration in enumerate(app._declarations):
        try:
            required[index] = _required(app, declaration)
        except SpikardError as fault:
            yield fault
    try:
        app.container.validate()
    except SpikardError as fault:
        yield fault
    for index, place, declaration in _placed(app):
        if index in required:
            try:
                _weave(app, index, place, declaration, required[index])
            except SpikardError as fault:
                yield fault


def _required(app: "Spikard", declaration: Declaration) -> tuple[Any, ...]:
    dependencies = declaration.options.dependencies
    return required_keys(app.container, dependencies) if dependencies else ()


def _weave(app: "Spikard", index: int, place: int | None, declaration: Declaration, keys: tuple[Any, ...]) -> None:
    if not (app._uses_container() or keys or index in app._injected):
        return
    plan, route = _compiled(app, declaration, place)
    if not needs_injection(plan, keys) and index not in app._injected:
        return
    app._injected.add(index)
    if needs_injection(plan, keys):
        plan = inject(plan, app.container, keys)
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


__all__ = ["container_life", "faults_of", "prepare"]
