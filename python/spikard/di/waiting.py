"""Values whose making has to be awaited: in one scope each is made once, independent ones at the same time."""

import asyncio
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from spikard.di.compiler import build_singleton, checked, is_unchecked, root_resolver, scope_resolver
from spikard.di.exits import ManagerExit, started, started_async
from spikard.di.factory import AsyncFactory, Factory
from spikard.di.need import Constant, FactoryOf, Members, Need, Surroundings, Value
from spikard.di.node import Node
from spikard.di.provider import Kind
from spikard.di.registration import Lifetime
from spikard.di.signature import MISSING
from spikard.di.singleton import keep
from spikard.errors import ScopeError

if TYPE_CHECKING:
    from spikard.di.scope import Scope


# Where a scope keeps what is being made: few scopes ever wait for anything.
_FLIGHTS = object()


async def obtain(scope: "Scope", node: Node, *, in_scope: bool) -> Any:
    """The value of a node in a scope, or in the container's root."""
    if node.lifetime is Lifetime.SINGLETON:
        return await obtain_singleton(node)
    if not node.waits:
        return (scope_resolver if in_scope else root_resolver)(node)(scope)
    if node.lifetime is Lifetime.TRANSIENT:
        return await _make(scope, node, scope.exits, in_scope=in_scope)
    if not in_scope:
        raise ScopeError(f"{node.name} is scoped; ask a scope for it: `async with container.scope() as scope:`")
    while node.slot not in scope.values:
        flights = scope.values.setdefault(_FLIGHTS, {})
        flight = flights.get(node.slot)
        if flight is not None:
            # A failure is told to whoever began; the others try themselves.
            await asyncio.wait({flight})
            continue
        flight = flights[node.slot] = asyncio.get_running_loop().create_future()
        try:
            scope.values[node.slot] = await _make(scope, node, scope.exits, in_scope=True)
        finally:
            del flights[node.slot]
            flight.set_result(None)
    return scope.values[node.slot]


async def obtain_singleton(node: Node) -> Any:
    """The value of a singleton, made by the first task that comes; the others, of whatever loop, wait for it."""
    container = node.layer.container
    while (value := container.built.get(node.slot, MISSING)) is MISSING:
        if not node.waits:
            return build_singleton(node)
        with node.lock:
            flight = node.flight
            mine = flight is None
            if flight is None:
                flight = node.flight = Future()
        if not mine:
            await asyncio.wait({asyncio.wrap_future(flight)})
            continue
        try:
            container.check_open()
            value = await _make(container.root, node, node.layer.exits, in_scope=False)
            container.adopt_loop()
            keep(node, value)
        finally:
            node.flight = None
            flight.set_result(None)
    return value


async def obtain_all(scope: "Scope", needs: Sequence[Need], *, in_scope: bool) -> list[Any]:
    """What several parameters get; those that have to be awaited at the same time."""
    slow = [index for index, need in enumerate(needs) if isinstance(need, Value) and _has_to_wait(scope, need.node)]
    values: list[Any] = [MISSING] * len(needs)
    if len(slow) > 1:
        work = [_satisfied(scope, needs[index], in_scope=in_scope) for index in slow]
        for index, value in zip(slow, await together(work), strict=True):
            values[index] = value
    for index, need in enumerate(needs):
        if values[index] is MISSING:
            values[index] = await _satisfied(scope, need, in_scope=in_scope)
    return values


async def together(work: Sequence[Coroutine[Any, Any, Any]]) -> list[Any]:
    """The results of coroutines that run at the same time; the first failure ends the others and comes out."""
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(coroutine) for coroutine in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        failed = next((task for task in tasks if task in done and _failed(task)), None)
    finally:
        running = [task for task in tasks if not task.done()]
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)
    if failed is not None:
        # Everybody's exception is looked at, or asyncio complains of it.
        for task in tasks:
            _failed(task)
    return [(failed or task).result() for task in tasks]


def _failed(task: "asyncio.Task[Any]") -> bool:
    return task.cancelled() or task.exception() is not None


def _has_to_wait(scope: "Scope", node: Node) -> bool:
    if not node.waits:
        return False
    built = node.layer.container.built if node.lifetime is Lifetime.SINGLETON else scope.values
    return node.slot not in built


async def _satisfied(scope: "Scope", need: Need, *, in_scope: bool) -> Any:
    match need:
        case Value(node):
            return await obtain(scope, node, in_scope=in_scope)
        case Members(nodes):
            return await obtain_all(scope, [Value(node) for node in nodes], in_scope=in_scope)
        case Constant(value):
            return value
        case FactoryOf(key, is_async):
            return (AsyncFactory if is_async else Factory)(scope if in_scope else scope.container, key)
        case Surroundings():
            return scope if in_scope else scope.container


async def _make(scope: "Scope", node: Node, exits: list[Any], *, in_scope: bool) -> Any:
    needs = [argument.need for argument in node.arguments]
    values = await obtain_all(scope, needs, in_scope=in_scope)
    positional = [value for argument, value in zip(node.arguments, values, strict=True) if argument.name is None]
    named = {
        argument.name: value
        for argument, value in zip(node.arguments, values, strict=True)
        if argument.name is not None
    }
    provider = node.registration.provider
    made = provider.target if provider.kind is Kind.VALUE else provider.target(*positional, **named)
    value = await _entered(provider.kind, made, exits)
    return checked(node, value) if is_unchecked(node) else value


async def _entered(kind: Kind, made: Any, exits: list[Any]) -> Any:
    match kind:
        case Kind.COROUTINE:
            return await made
        case Kind.ASYNC_GENERATOR:
            value = await started_async(made)
            exits.append(made)
        case Kind.ASYNC_MANAGER:
            value = await made.__aenter__()
            exits.append(ManagerExit(made, is_async=True))
        case Kind.GENERATOR:
            value = started(made)
            exits.append(made)
        case Kind.MANAGER:
            value = made.__enter__()
            exits.append(ManagerExit(made, is_async=False))
        case _:
            value = made
    return value


__all__ = ["obtain", "obtain_all", "obtain_singleton", "together"]
