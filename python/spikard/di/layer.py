"""The graph of a container as it is now: one layer of overrides on another."""

import collections.abc
import enum
import inspect
import threading
import types
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

from spikard.di.key import described, inject_marker, key_of, way
from spikard.di.need import Argument, Constant, FactoryOf, Members, Need, Surroundings, Value
from spikard.di.node import Node
from spikard.di.provider import Kind, Provider
from spikard.di.registration import Lifetime, Member, Registration, given
from spikard.di.resolvers import Ready, Resolvers
from spikard.di.signature import MISSING, Parameter
from spikard.errors import CaptiveDependency, CyclicDependency, ScopeError, UnknownDependency

if TYPE_CHECKING:
    from spikard.di.container import Container

SEQUENCES = (collections.abc.Sequence, list, tuple, collections.abc.Iterable, collections.abc.Collection)
AWAITABLES = (collections.abc.Awaitable, collections.abc.Coroutine)
Path = tuple[Any, ...]


class Slot:
    """Where an overridden graph keeps a value, apart from the one that is not overridden."""

    __slots__ = ("key",)

    def __init__(self, key: Any) -> None:
        self.key = key


class Layer:
    """Nodes by key. A layer above another has only the nodes that its overrides change.

    `ready` holds singletons by key for the fast way; `exits` is what follows when they go.
    """

    def __init__(
        self, container: "Container", parent: "Layer | None" = None, changes: Mapping[Any, Registration] | None = None
    ) -> None:
        self.container = container
        self.parent = parent
        self.changes = dict(changes or {})
        self.exits: list[Any] = container.root_exits if parent is None else []
        self.ready = Ready(self)
        self.in_scope = Resolvers(self)
        # Those that nothing awaits any more.
        self.settled: dict[Any, Any] = {}
        self._shapes: dict[frozenset[Any], Layer] = {}
        self._nodes: dict[Any, Node] = {}
        self._lock = threading.RLock()

    def forget(self) -> None:
        """Drop everything that has been worked out."""
        stores: tuple[dict[Any, Any], ...] = (self.ready, self.in_scope, self.settled, self._shapes, self._nodes)
        for store in stores:
            store.clear()

    def shaped(self, keys: frozenset[Any]) -> "Layer":
        """The layer for scopes that bring values of these keys."""
        with self._lock:
            if (layer := self._shapes.get(keys)) is None:
                layer = self._shapes[keys] = Layer(self.container, self, {key: given(key) for key in keys})
            return layer

    def find(self, key: Any) -> Registration | None:
        """The registration in force for a key."""
        layer: Layer | None = self
        while layer is not None:
            if (changed := layer.changes.get(key)) is not None:
                found: Registration = changed
                return found
            layer = layer.parent
        registered: Registration | None = self.container.registrations.get(key)
        return registered

    def knows(self, key: Any) -> bool:
        """Whether a key has been registered, by itself or as one of many."""
        return self.find(key) is not None or self._members(key) is not None

    def offers(self, parameter: Parameter) -> bool:
        """Whether a parameter's annotation, or else its name, has been registered."""
        if parameter.annotation is not MISSING:
            core, _ = _without_none(key_of(parameter.annotation))
            if self.knows(core) or core in self.container.surroundings:
                return True
            if get_origin(core) is collections.abc.Callable and (made := _made_by(core)) is not None:
                return self.find(made[0]) is not None
        return self.find(parameter.name) is not None

    def expects(self, annotation: Any) -> bool:
        """Whether an annotation, None aside, is a key whose values scopes bring."""
        registration = self.find(_without_none(key_of(annotation))[0])
        return registration is not None and registration.provider.kind is Kind.GIVEN

    def node(self, key: Any) -> Node:
        """The node of a key; UnknownDependency or CyclicDependency tells the way that led there."""
        with self._lock:
            return self._node(key_of(key), ())

    def placed(self, key: Any, *, in_scope: bool) -> Node:
        """The node of a key, if it can be resolved in a scope or in the container itself; else ScopeError."""
        node = self.node(key)
        refuse_scoped(node, in_scope=in_scope)
        return node

    def argument(self, parameter: Parameter, path: Path, *, asked: bool = False) -> Need:
        """What a parameter gets. `asked`: it is marked `Inject`, so its default is no way out."""
        annotation = parameter.annotation
        marker = inject_marker(annotation) if annotation is not MISSING else None
        if marker is not None and marker.key is not None:
            return self._value(marker.key, path)
        key = MISSING if annotation is MISSING else key_of(annotation)
        if key is not MISSING:
            found = self._by_annotation(key, path)
            if found is not None:
                return found
        if self.find(parameter.name) is not None:
            return self._value(parameter.name, path)
        if parameter.default is not MISSING and not asked:
            return Constant(parameter.default)
        if key is MISSING:
            text = f"parameter {parameter.name!r} (no annotation, no default)"
            raise UnknownDependency(way(path, text, as_it_is=True))
        core, optional = _without_none(key)
        if optional:
            return Constant(None if parameter.default is MISSING else parameter.default)
        return self._value(core, path)

    def _by_annotation(self, key: Any, path: Path) -> Need | None:
        """The registered key an annotation means, or what is always there."""
        core, _ = _without_none(key)
        if self.find(core) is not None:
            return self._value(core, path)
        if (members := self._members(core)) is not None:
            return Members(tuple(self._node(member, path) for member in members))
        if core in self.container.surroundings:
            return Surroundings()
        if get_origin(core) is collections.abc.Callable:
            return self._factory(core)
        return None

    def _factory(self, annotation: Any) -> Need | None:
        made = _made_by(annotation)
        if made is None or (self.find(made[0]) is None and not is_buildable(made[0])):
            return None
        return FactoryOf(*made)

    def _members(self, key: Any) -> list[Member] | None:
        if get_origin(key) not in SEQUENCES:
            return None
        arguments = get_args(key)
        return self.container.members.get(key_of(arguments[0])) if arguments else None

    def _value(self, key: Any, path: Path) -> Need:
        return Value(self._node(key, path))

    def _node(self, key: Any, path: Path) -> Node:
        if (known := self._nodes.get(key)) is not None:
            return known
        if key in path:
            raise CyclicDependency(way(path[path.index(key) :], key))
        registration = self.find(key)
        if registration is not None and registration.provider.kind is Kind.ALIAS:
            node = self._node(registration.provider.target, (*path, key))
        else:
            node = self._kept(self._made(key, registration or self._implied(key, path), path))
        self._nodes[key] = node
        return node

    def _made(self, key: Any, registration: Registration, path: Path) -> Node:
        arguments = self._arguments(registration.provider, (*path, key))
        node = Node(key, registration, self, key, arguments)
        if self.parent is None:
            return node
        changed = key in self.changes or any(dependency.layer is self for dependency in node.dependencies())
        if not changed:
            return self.parent.node(key)
        if registration.provider.kind is not Kind.GIVEN:
            node.slot = Slot(key)
        return node

    def _kept(self, node: Node) -> Node:
        if node.registration.provider.kind is Kind.VALUE and node.layer is self:
            self.container.built[node.slot] = self.ready[node.key] = node.registration.provider.target
        return node

    def _implied(self, key: Any, path: Path) -> Registration:
        """The registration of a class that nobody has registered."""
        if self._members(key) is not None:
            return Registration(key, Lifetime.TRANSIENT, Provider(_listed, Kind.CALL))
        if not is_buildable(key):
            raise UnknownDependency(way(path, f"{described(key)} ({_why_not(key)})", as_it_is=True))
        return Registration(key, Lifetime.TRANSIENT, Provider.of(key))

    def _arguments(self, provider: Provider, path: Path) -> tuple[Argument, ...]:
        if provider.kind in {Kind.VALUE, Kind.GIVEN}:
            return ()
        if provider.target is _listed:
            members = self._members(path[-1]) or []
            return (Argument(None, Members(tuple(self._node(member, path) for member in members))),)
        parameters = provider.parameters
        if provider.depends_on is not None:
            return self._listed(provider, parameters, path)
        if provider.is_lambda and self.find(parameters[0].name) is None:
            return (Argument(None, Surroundings()),)
        return tuple(
            Argument(parameter.name if parameter.by_name else None, self.argument(parameter, path))
            for parameter in parameters
        )

    def _listed(self, provider: Provider, parameters: tuple[Parameter, ...], path: Path) -> tuple[Argument, ...]:
        """The keys of `depends_on`: by name where a parameter is called like that, else in order."""
        names = {parameter.name for parameter in parameters}
        return tuple(
            Argument(key if isinstance(key, str) and key in names else None, self._value(key_of(key), path))
            for key in sorted(provider.depends_on or (), key=lambda key: isinstance(key, str) and key in names)
        )


def is_buildable(key: Any) -> bool:
    """Whether a class can be built without having been registered."""
    return (
        isinstance(key, type)
        and key.__module__ != "builtins"
        and not inspect.isabstract(key)
        and not getattr(key, "_is_protocol", False)
        and not issubclass(key, enum.Enum)
    )


def _why_not(key: Any) -> str:
    if getattr(key, "_is_protocol", False):
        return "a Protocol, not registered"
    if isinstance(key, type) and inspect.isabstract(key):
        return "abstract, not registered"
    return "not registered"


def _without_none(annotation: Any) -> tuple[Any, bool]:
    """The annotation without `| None`, and whether that was there."""
    if get_origin(annotation) not in {Union, types.UnionType}:
        return annotation, False
    members = get_args(annotation)
    rest = [member for member in members if member is not types.NoneType]
    if len(rest) == len(members):
        return annotation, False
    return key_of(rest[0]) if len(rest) == 1 else Union[tuple(rest)], True  # noqa: UP007 - computed


def _made_by(annotation: Any) -> tuple[Any, bool] | None:
    """What a function without parameters makes by its annotation, and whether it is awaited."""
    arguments = get_args(annotation)
    if len(arguments) != 2 or arguments[0] != []:
        return None
    made = arguments[1]
    is_async = get_origin(made) in AWAITABLES
    return (key_of(get_args(made)[-1]) if is_async else key_of(made)), is_async


def _listed(members: list[Any]) -> list[Any]:
    return members


def refuse_scoped(node: Node, *, in_scope: bool, path: tuple[Node, ...] = ()) -> None:
    """ScopeError, naming the way, where something scoped is needed and there is no scope."""
    path = (*path, node)
    if node.lifetime is Lifetime.SCOPED and not in_scope:
        captive = any(above.lifetime is Lifetime.SINGLETON for above in path)
        chain = " -> ".join(above.name for above in path)
        if captive:
            raise CaptiveDependency(f"{chain}: a singleton outlives the scoped {node.name} it would keep")
        raise ScopeError(f"{chain}: {node.name} is scoped; resolve it in a scope, `async with container.scope()`")
    below = in_scope and node.lifetime is not Lifetime.SINGLETON
    for dependency in node.dependencies():
        refuse_scoped(dependency, in_scope=below, path=path)


__all__ = ["Layer", "is_buildable", "refuse_scoped"]
