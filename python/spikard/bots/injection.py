"""Arguments out of a container: one scope for each update, opened when something is first asked of it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Self

from spikard.bots.arguments import ABSENT, Signature, Wanted, found_in, signature_of
from spikard.bots.fsm.context import FSMContext
from spikard.bots.types.event import Update
from spikard.di import Container, Scope
from spikard.di.need import Need
from spikard.di.signature import MISSING, Parameter
from spikard.di.waiting import obtain_all
from spikard.errors import ScopeError

if TYPE_CHECKING:
    from spikard.di.layer import Layer

# A name that no argument can have.
SCOPE = "spikard.scope"


class UpdateScope:
    """The scope of one update. What it made is cleaned up at its end, with the handler's error if there was one.

    Attributes:
        container: What the scope is one of.
        fault: The handler's error, also where a handler of errors has taken it.
    """

    __slots__ = ("_is_over", "_scope", "container", "fault")

    def __init__(self, container: Container) -> None:
        self.container = container
        self.fault: BaseException | None = None
        self._scope: Scope | None = None
        self._is_over = False

    async def obtain(self, needs: list[Need], data: Mapping[str, Any]) -> list[Any]:
        """The values of needs. Providers may themselves ask for the bot, the update and the state."""
        if self._is_over:
            raise ScopeError("the scope of this update has ended; nothing more can be asked of it")
        if self._scope is None:
            self._scope = Scope(self.container)
        for key, name in brought().items():
            if key not in self._scope.values and data.get(name) is not None:
                self._scope.values[key] = data[name]
        return await obtain_all(self._scope, needs, in_scope=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: object, fault: BaseException | None, trace: object) -> None:
        scope, self._scope, self._is_over = self._scope, None, True
        if scope is not None:
            await scope.aclose(fault or self.fault)


def brought() -> dict[Any, str]:
    """The keys whose values an update brings to its scope, and their names among the data."""
    from spikard.bots.bot import Bot

    return {Bot: "bot", Update: "update", FSMContext: "state"}


@asynccontextmanager
async def running(container: Container) -> AsyncIterator[None]:
    """The container initialised for a block; left as it is where somebody else has done so."""
    if container.is_closed:
        container.reopen()
    if container.is_frozen:
        yield
        return
    async with container:
        yield


class _Provided:
    """What a container gives to a function, as long as the container's graph is the same."""

    __slots__ = ("generation", "layer", "needs", "wanted")

    def __init__(self, signature: Signature, container: Container) -> None:
        self.layer: Layer = container.layer
        self.generation = container.generation
        self.wanted = [one for one in signature.wanted if is_provided(one, container)]
        self.needs = [need_of(one, signature, container) for one in self.wanted]


def is_provided(wanted: Wanted, container: Container) -> bool:
    """Whether a container gives a parameter: it is marked so, or its annotation or its name is registered."""
    return wanted.is_asked or container.provides(wanted.name, wanted.annotation)


def need_of(wanted: Wanted, signature: Signature, container: Container) -> Need:
    """What the container has to make for a parameter; UnknownDependency and the like where it cannot."""
    default = wanted.default if not wanted.is_required else MISSING
    parameter = Parameter(wanted.name, wanted.annotation, default, by_name=True)
    return container.layer.argument(parameter, (signature.function,), asked=wanted.is_asked)


async def arguments_for(signature: Signature, data: Mapping[str, Any]) -> dict[str, Any]:
    """What a function is called with: out of the data, then out of the container of the update.

    Raises:
        MissingArgument: Something without a default is in neither.
    """
    scope: UpdateScope | None = data.get(SCOPE)
    if scope is None or not signature.wanted:
        return signature.arguments(data)
    container = scope.container
    provided: _Provided | None = signature.provided
    if provided is None or provided.layer is not container.layer or provided.generation is not container.generation:
        provided = signature.provided = _Provided(signature, container)
    names, needs = [], []
    for wanted, need in zip(provided.wanted, provided.needs, strict=True):
        if wanted.is_asked or found_in(data, wanted) is ABSENT:
            names.append(wanted.name)
            needs.append(need)
    if not names:
        return signature.arguments(data)
    values = await scope.obtain(needs, data)
    return signature.arguments({**data, **dict(zip(names, values, strict=True))})


async def call(function: Callable[..., Any], data: Mapping[str, Any], *, in_thread: bool = False) -> Any:
    """Calls a hook or a job with what it asks for, in a scope of its own where the data has a container; gives its end.

    With `in_thread` a plain function runs in the pool of threads.

    Raises:
        MissingArgument: Something without a default is nowhere.
    """
    signature = signature_of(function, positional=0)
    scope: UpdateScope | None = data.get(SCOPE)
    if scope is None:
        return await _called(signature, signature.arguments(data), in_thread)
    async with UpdateScope(scope.container) as own:
        return await _called(signature, await arguments_for(signature, {**data, SCOPE: own}), in_thread)


async def _called(signature: Signature, arguments: dict[str, Any], in_thread: bool) -> Any:
    if in_thread and not signature.is_async:
        found = await asyncio.to_thread(signature.function, **arguments)
    else:
        found = signature.function(**arguments)
    return await found if isawaitable(found) else found


__all__ = ["SCOPE", "UpdateScope", "arguments_for", "brought", "call", "is_provided", "need_of", "running"]
