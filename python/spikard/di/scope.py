"""One request, one message, one job: what is scoped lives as long as this."""

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeVar

from spikard.di.exits import close_shielded
from spikard.di.factory import AsyncFactory, Factory
from spikard.di.layer import Layer
from spikard.di.node import waits_now
from spikard.di.waiting import obtain
from spikard.errors import ScopeError

if TYPE_CHECKING:
    from spikard.di.container import Container

T = TypeVar("T")


class Scope:
    """Holds one value of each scoped key until it is closed.

    async with container.scope() as scope:
        service = scope.resolve(Service)
    """

    __slots__ = ("container", "exits", "values")

    def __init__(self, container: "Container") -> None:
        self.container = container
        self.values: dict[Any, Any] = {}
        self.exits: list[Any] = []

    @property
    def parent(self) -> "Container":
        """The container this is a scope of."""
        return self.container

    @property
    def layer(self) -> Layer:
        """The graph as it is now."""
        return self.container.layer

    def resolve(self, key: type[T]) -> T:
        """The value of a key; AsyncDependency where one of its providers has to be awaited."""
        value: T = self.container.layer.in_scope[key](self)
        return value

    get = resolve

    def __getitem__(self, key: Any) -> Any:
        return self.resolve(key)

    async def aresolve(self, key: type[T]) -> T:
        """The value of a key, awaiting what has to be."""
        resolver = self.container.layer.settled.get(key)
        value: T
        if resolver is not None:
            value = resolver(self)
            return value
        value = await self._obtained(self.container.layer, key)
        return value

    async def _obtained(self, layer: Layer, key: Any) -> Any:
        self.container.check_open()
        node = layer.placed(key, in_scope=True)
        if waits_now(node):
            return await obtain(self, node, in_scope=True)
        # What need not be awaited once need not be later.
        resolver = layer.settled[key] = layer.in_scope[key]
        return resolver(self)

    def get_factory(self, key: type[T]) -> Callable[[], T]:
        """A function that resolves a key in this scope."""
        self.layer.node(key)
        return Factory(self, key)

    def get_async_factory(self, key: type[T]) -> Any:
        """An async function that resolves a key in this scope."""
        self.layer.node(key)
        return AsyncFactory(self, key)

    async def call(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Call a function; parameters that are not given here come from the container."""
        from spikard.di.call import call

        return await call(self, fn, args, kwargs)

    async def aclose(self, fault: BaseException | None = None) -> None:
        """End the scope: what its providers have left to do is done, last first."""
        self.values = _ENDED
        if self.exits:
            await close_shielded(self.exits, fault)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.values = _ENDED
        if self.exits:
            await close_shielded(self.exits, fault)


class ShapedScope(Scope):
    """A scope that brings values of its own."""

    __slots__ = ("_keys",)

    def __init__(self, container: "Container", instances: Mapping[str, Any]) -> None:
        super().__init__(container)
        self.values.update(instances)
        self.values.update({type(value): value for value in instances.values() if type(value).__module__ != "builtins"})
        self._keys = frozenset(self.values)

    @property
    def layer(self) -> Layer:
        """The graph as it is now, with what this scope brings."""
        return self.container.layer.shaped(self._keys)

    def resolve(self, key: type[T]) -> T:
        """The value of a key; AsyncDependency where one of its providers has to be awaited."""
        value: T = self.layer.in_scope[key](self)
        return value

    get = resolve

    async def aresolve(self, key: type[T]) -> T:
        """The value of a key, awaiting what has to be."""
        value: T = await self._obtained(self.layer, key)
        return value


class _Ended(dict[Any, Any]):
    """The values of a scope that is over."""

    __slots__ = ()

    def __contains__(self, key: object) -> bool:
        self._refuse()

    def __getitem__(self, key: Any) -> Any:
        self._refuse()

    def __setitem__(self, key: Any, value: Any) -> None:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise ScopeError("the scope has ended; what it held is no longer there")


_ENDED = _Ended()

__all__ = ["Scope", "ShapedScope"]
