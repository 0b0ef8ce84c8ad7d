"""The container: what is registered, what has been built, and scopes."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterator
from types import TracebackType
from typing import Any, Self, TypeVar
from weakref import WeakSet

from spikard.di.exits import close_shielded
from spikard.di.factory import AsyncFactory, Factory
from spikard.di.key import described, inject_marker, key_of
from spikard.di.layer import Layer
from spikard.di.override import Override
from spikard.di.provider import Kind, Provider
from spikard.di.registration import Lifetime, Member, Provide, Registration, given, instance_of
from spikard.di.scope import Scope, ShapedScope
from spikard.di.signature import MISSING, Parameter
from spikard.di.validation import validate
from spikard.di.waiting import obtain, obtain_singleton
from spikard.errors import ContainerClosed, ContainerFrozen, DIError, DuplicateRegistration

T = TypeVar("T")
InitFunction = Callable[["Container"], Awaitable[None] | None]


class Container:
    """Knows how values are made, and makes each as often as its lifetime says.

        container = Container()
        container.add_singleton(Engine, make_engine)
        container.add_scoped(Service)

        async with container, container.scope() as scope:
            service = scope.resolve(Service)

    A provider is a class, or a function that takes nothing, the container, or annotated parameters; it may be async,
    and it may be a generator whose rest is the cleanup. Without one the key itself is built.
    """

    def __init__(self, *, strict: bool = True) -> None:
        self.strict = strict
        self.registrations: dict[Any, Registration] = {}
        self.members: dict[Any, list[Member]] = {}
        self.surroundings = frozenset({Container, Scope})
        # By slot: singletons of every layer.
        self.built: dict[Any, Any] = {}
        self.root_exits: list[Any] = []
        self.root = Scope(self)
        self.root.exits = self.root_exits
        self.loop: asyncio.AbstractEventLoop | None = None
        self.is_closed = False
        self.is_frozen = False
        # Another object whenever what has been compiled before is out of date.
        self.generation = object()
        self.layer = Layer(self)
        self._ready = self.layer.ready
        self._init_functions: list[InitFunction] = []
        # Compiled calls that have to know when an override begins or ends.
        self.listeners: WeakSet[Any] = WeakSet()

    def add_singleton(self, key: Any, provider: Any = None, *, eager: bool = False, many: bool = False) -> Self:
        """One value for the life of the container; `eager` ones are built by `init`."""
        return self._add(key, provider, Lifetime.SINGLETON, eager=eager, many=many)

    def add_scoped(self, key: Any, provider: Any = None, *, many: bool = False) -> Self:
        """One value in each scope."""
        return self._add(key, provider, Lifetime.SCOPED, many=many)

    def add_transient(self, key: Any, provider: Any = None, *, many: bool = False) -> Self:
        """A new value each time."""
        return self._add(key, provider, Lifetime.TRANSIENT, many=many)

    def add_instance(self, key: Any, value: Any) -> Self:
        """A value that is there already; the container never closes it."""
        return self.admit(instance_of(key_of(key), value))

    def add_alias(self, key: Any, target: Any) -> Self:
        """Another key for the same value."""
        return self.admit(Registration(key_of(key), Lifetime.TRANSIENT, Provider(key_of(target), Kind.ALIAS)))

    def add_init_function(self, fn: InitFunction) -> None:
        """Run a function with the container at the end of `init`."""
        self._check_unfrozen()
        self._init_functions.append(fn)

    def install(self, *modules: Callable[["Container"], None]) -> Self:
        """Let functions register what belongs together."""
        for module in modules:
            module(self)
        return self

    def provide(self, key: Any, provider_or_value: Any) -> Self:
        """Register a `Provide`, a class or function (one value for each scope), or else a value."""
        if isinstance(provider_or_value, Provide):
            provide = provider_or_value
            return self.admit(Registration(key_of(key), provide.lifetime, provide.provider))
        if isinstance(provider_or_value, type) or inspect.isroutine(provider_or_value):
            return self.add_scoped(key, provider_or_value)
        return self.add_instance(key, provider_or_value)

    def expect(self, *keys: Any) -> Self:
        """Keys whose values each scope brings with it, such as the request."""
        for key in keys:
            if key not in self.registrations:
                self.admit(given(key))
        return self

    def expects(self, annotation: Any) -> bool:
        """Whether an annotation is a key whose values scopes bring."""
        try:
            return self.layer.expects(annotation)
        except TypeError:  # an annotation that cannot be a key
            return False

    async def init(self) -> None:
        """Check everything, build eager and async singletons, run the init functions; a fault undoes what was built."""
        if self.is_frozen:
            return
        self.check_open()
        self.validate()
        self.is_frozen = True
        self.adopt_loop()
        try:
            for key in self._keys():
                registration, node = self.layer.find(key) or self.registrations[key], self.layer.node(key)
                if node.lifetime is Lifetime.SINGLETON and (registration.eager or node.waits):
                    await obtain_singleton(node)
            for fn in self._init_functions:
                result = fn(self)
                if inspect.isawaitable(result):
                    await result
        except BaseException as fault:
            await self._close(fault)
            self.reopen()
            raise

    async def aclose(self) -> None:
        """Clean up all singletons, last built first. Nothing is resolved afterwards."""
        if not self.is_closed:
            self.is_closed = True
            await self._close(None)

    async def __aenter__(self) -> Self:
        await self.init()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def resolve(self, key: type[T]) -> T:
        """The value of a key; AsyncDependency where one of its providers has to be awaited."""
        value: T = self._ready[key]
        return value

    get = resolve

    def __getitem__(self, key: Any) -> Any:
        return self._ready[key]

    async def aresolve(self, key: type[T]) -> T:
        """The value of a key, awaiting what has to be."""
        ready = self._ready
        value: T
        if key in ready:
            value = ready[key]
            return value
        self.check_open()
        node = self.layer.placed(key, in_scope=False)
        value = await obtain(self.root, node, in_scope=False) if node.waits else ready[key]
        return value

    def get_factory(self, key: type[T]) -> Callable[[], T]:
        """A function that resolves a key."""
        self.layer.node(key)
        return Factory(self, key)

    def get_async_factory(self, key: type[T]) -> Callable[[], Awaitable[T]]:
        """An async function that resolves a key."""
        self.layer.node(key)
        return AsyncFactory(self, key)

    def scope(self, **instances: Any) -> Scope:
        """A scope to be entered with `async with`; what is given here is found in it by name and by type."""
        return ShapedScope(self, instances) if instances else Scope(self)

    def override(self, key: Any, provider: Any = MISSING, *, value: Any = MISSING) -> Override:
        """Put another provider, or a value, in place of a key's own for the block of a `with`.

        It holds for everything resolved from then on, in scopes that are open already too. Singletons that
        depend on it are built anew for the block and closed at its end.
        """
        self.check_open()
        key = key_of(key)
        if (provider is MISSING) == (value is MISSING):
            raise TypeError("override takes either a provider or value=")
        if value is not MISSING:
            return Override(self, instance_of(key, value))
        if isinstance(provider, Provide):
            return Override(self, Registration(key, provider.lifetime, provider.provider, checked=False))
        present = self.layer.find(key)
        lifetime = present.lifetime if present is not None else Lifetime.TRANSIENT
        return Override(self, Registration(key, lifetime, Provider.of(provider), checked=False))

    def validate(self) -> None:
        """Look for unknown keys, cycles, captive values and wrong types without building anything; tell all of them."""
        validate(self.layer, self._keys())

    def graph(self) -> dict[str, list[str]]:
        """Each registered key with the keys its provider needs, by name."""
        return {
            described(key): [node.name for node in self.layer.node(key).dependencies()]
            for key in self._keys()
            if self.registrations[key].provider.kind is not Kind.GIVEN
        }

    async def call(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Call a function in a scope of its own; parameters that are not given come from the container."""
        async with Scope(self) as scope:
            return await scope.call(fn, *args, **kwargs)

    def provides(self, name: str, annotation: Any = MISSING) -> bool:
        """Whether a parameter of a handler, by its annotation or else by its name, is one for the container."""
        if annotation is not MISSING and inject_marker(annotation) is not None:
            return True
        try:
            return self.layer.offers(Parameter(name, annotation, MISSING, by_name=False))
        except TypeError:  # an annotation that cannot be a key
            return False

    def admit(self, registration: Registration) -> Self:
        """Register; DuplicateRegistration when the key is taken and the container strict."""
        self._check_unfrozen()
        key = registration.key
        known = self.registrations.get(key)
        if known is not None and self.strict and known.provider.kind is not Kind.GIVEN:
            msg = f"{described(key)} is registered twice, by {known.provider.name} and by {registration.provider.name}"
            raise DuplicateRegistration(f"{msg}; for a test use override, or Container(strict=False)")
        self.registrations[key] = registration
        self.built.pop(key, None)
        self._forget()
        return self

    def check_open(self) -> None:
        """Raise ContainerClosed after `aclose`."""
        if self.is_closed:
            raise ContainerClosed("the container has been closed")

    def reopen(self) -> None:
        """Begin anew with the same registrations, and the overrides that are in force."""
        self.is_closed = self.is_frozen = False
        self.built.clear()
        self._forget()

    def adopt_loop(self) -> None:
        """Remember the loop in which singletons are awaited."""
        self.loop = asyncio.get_running_loop()

    def switch(self, layer: Layer) -> None:
        """Make a layer the one in force."""
        self.layer = layer
        self._ready = layer.ready
        for listener in list(self.listeners):
            listener.refresh()

    def remove(self, layer: Layer) -> None:
        """Take a layer of overrides out, whatever its place."""
        above: Layer | None = self.layer
        if above is layer and layer.parent is not None:
            self.switch(layer.parent)
            return
        while above is not None and above.parent is not layer:
            above.forget()
            above = above.parent
        if above is not None:
            above.forget()
            above.parent = layer.parent
            self.switch(self.layer)

    def _add(self, key: Any, provider: Any, lifetime: Lifetime, *, eager: bool = False, many: bool = False) -> Self:
        self._check_unfrozen()
        key = key_of(key)
        if provider is None and not isinstance(key, type):
            raise DIError(f"{described(key)} is no class that can be built; give a provider")
        made = Provider.of(key if provider is None else provider)
        if many:
            listed = self.members.setdefault(key, [])
            member = Member(key, len(listed))
            listed.append(member)
            return self.admit(Registration(member, lifetime, made, eager))
        return self.admit(Registration(key, lifetime, made, eager))

    def _keys(self) -> list[Any]:
        return list(self.registrations)

    def _layers(self) -> Iterator[Layer]:
        layer: Layer | None = self.layer
        while layer is not None:
            yield layer
            layer = layer.parent

    def _forget(self) -> None:
        self.generation = object()
        for layer in self._layers():
            layer.forget()

    async def _close(self, fault: BaseException | None) -> None:
        # Overrides stand on what is below them.
        exits = [step for layer in reversed(list(self._layers())) for step in layer.exits]
        for layer in self._layers():
            layer.exits.clear()
        self._forget()
        self.built.clear()
        await close_shielded(exits, fault)

    def _check_unfrozen(self) -> None:
        self.check_open()
        if self.is_frozen:
            raise ContainerFrozen("the container takes no registrations after init(); tests use override")


__all__ = ["Container"]
