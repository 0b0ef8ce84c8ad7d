"""Nodes become Python functions: one for each key and place, with everything looked up beforehand."""

import itertools
from collections.abc import Callable
from typing import Any

from spikard.di.exits import ManagerExit, started, started_async
from spikard.di.factory import AsyncFactory, Factory
from spikard.di.key import described
from spikard.di.need import Argument, Constant, FactoryOf, Members, Need, Surroundings, Value
from spikard.di.node import Node, Resolver
from spikard.di.provider import ASYNC, Kind
from spikard.di.registration import Lifetime
from spikard.di.signature import MISSING
from spikard.di.singleton import build
from spikard.errors import AsyncDependency, DependencyTypeError, ScopeError

# Below this depth functions call each other instead of holding each other's text.
INLINE_DEPTH = 3


def scope_resolver(node: Node) -> Resolver:
    """The function that gives a node's value in a scope, without waiting."""
    if node.in_scope is None:
        node.in_scope = _compiled(node, SyncText(in_scope=True))
    return node.in_scope


def root_resolver(node: Node) -> Resolver:
    """The function that gives a node's value in the container itself, without waiting."""
    if node.in_root is None:
        node.in_root = _compiled(node, SyncText(in_scope=False))
    return node.in_root


def singleton_builder(node: Node) -> Resolver:
    """The function that makes a singleton, whether there is one or not."""
    if node.build is None:
        text = SyncText(in_scope=False, exits=node.layer.exits)
        value = text.make(node)
        node.build = text.function("build", ["scope"], value)
    return node.build


def _compiled(node: Node, text: "SyncText") -> Resolver:
    value = text.get(node, top=True)
    return text.function("resolve", ["scope"], value)


class Text:
    """A function that is being written: lines, and the objects its names stand for."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {"MISSING": MISSING}
        self.lines: list[str] = []
        self.depth = 1
        self._bound: dict[int, str] = {}
        self._numbers = itertools.count()

    def bind(self, value: Any, prefix: str = "c") -> str:
        """A global name for an object."""
        name = self._bound.get(id(value))
        if name is None:
            name = f"{prefix}{next(self._numbers)}"
            self.names[name] = value
            self._bound[id(value)] = name
        return name

    def local(self) -> str:
        """A new local name."""
        return f"v{next(self._numbers)}"

    def line(self, text: str) -> None:
        """Append a line at the present depth."""
        self.lines.append("    " * self.depth + text)

    def function(self, name: str, parameters: list[str], value: str, *, is_async: bool = False) -> Callable[..., Any]:
        """The function, compiled; it returns `value`."""
        self.line(f"return {value}")
        return self.compiled(name, parameters, is_async=is_async)

    def compiled(self, name: str, parameters: list[str], *, is_async: bool = False) -> Callable[..., Any]:
        """The function as it has been written."""
        head = f"{'async ' if is_async else ''}def {name}({', '.join(parameters)}):"
        source = "\n".join([head, *self.lines, ""])
        # Our own text: names of the program appear in it only as identifiers of its own parameters.
        exec(compile(source, f"<spikard.di {name}>", "exec"), self.names)  # noqa: S102
        made: Callable[..., Any] = self.names[name]
        return made


class SyncText(Text):
    """A function that gets or makes values in a scope or in the container, never waiting."""

    def __init__(self, *, in_scope: bool, exits: list[Any] | None = None) -> None:
        super().__init__()
        self.in_scope = in_scope
        self._exits = exits
        self._level = 0

    def get(self, node: Node, *, top: bool = False) -> str:
        """Lines that put a node's value into a name, made only if it is not there."""
        if node.lifetime is Lifetime.SINGLETON:
            return self.singleton(node)
        if node.lifetime is Lifetime.TRANSIENT:
            return self._transient(node, top=top)
        if not self.in_scope:
            raise ScopeError(f"{node.name} is scoped; ask a scope for it: `async with container.scope() as scope:`")
        value, slot = self.local(), self.bind(node.slot, "k")
        self.line(f"if {slot} in scope.values:")
        self.line(f"    {value} = scope.values[{slot}]")
        self.line("else:")
        self.depth += 1
        if node.registration.provider.kind is Kind.GIVEN:
            self.line(f"raise {self.bind(_absent)}({slot})")
        elif self._level >= INLINE_DEPTH and not top:
            self.line(f"{value} = {self.bind(_scope_value)}(scope, {self.bind(node, 'n')})")
        else:
            # Another thread may have been faster: the first one's value is everybody's.
            self.line(f"{value} = scope.values.setdefault({slot}, {self.make(node)})")
        self.depth -= 1
        return value

    def _transient(self, node: Node, *, top: bool) -> str:
        if self._level >= INLINE_DEPTH and not top:
            value = self.local()
            self.line(f"{value} = {self.bind(_fresh_value)}(scope, {self.bind(node, 'n')}, {self.in_scope})")
            return value
        return self.make(node)

    def singleton(self, node: Node) -> str:
        """A singleton: itself where it has been built, else a look and perhaps the building of it."""
        built = node.layer.container.built
        if node.slot in built:
            return self.bind(built[node.slot], "s")
        value, slot, store = self.local(), self.bind(node.slot, "k"), self.bind(built, "built")
        self.line(f"{value} = {store}[{slot}] if {slot} in {store} else {self._singleton_call(node)}")
        return value

    def _singleton_call(self, node: Node) -> str:
        return f"{self.bind(build_singleton)}({self.bind(node, 'n')})"

    def make(self, node: Node) -> str:
        """Lines that build a node's value anew."""
        self._level += 1
        arguments = ", ".join(self._argument(argument) for argument in node.arguments)
        self._level -= 1
        provider = node.registration.provider
        if provider.kind is Kind.VALUE:
            return self.bind(provider.target, "s")
        value = self.entered(node, f"{self.bind(provider.target, 'p')}({arguments})")
        if is_unchecked(node):
            self.line(f"{value} = {self.bind(checked)}({self.bind(node, 'n')}, {value})")
        return value

    def entered(self, node: Node, call: str) -> str:
        """Lines that turn what a provider's call gives into the value."""
        kind, value = node.registration.provider.kind, self.local()
        if kind is Kind.CALL:
            self.line(f"{value} = {call}")
            return value
        if kind in ASYNC:
            self.line(f"raise {self.bind(_unawaited)}({self.bind(node, 'n')})")
            return "None"
        opened = self.local()
        self.line(f"{opened} = {call}")
        if kind is Kind.GENERATOR:
            self.line(f"{value} = {self.bind(started)}({opened})")
            self.line(f"{self.exits}.append({opened})")
        else:
            self.line(f"{value} = {opened}.__enter__()")
            self.line(f"{self.exits}.append({self.bind(ManagerExit)}({opened}, is_async=False))")
        return value

    @property
    def exits(self) -> str:
        """The expression for the list of what follows."""
        return "scope.exits" if self._exits is None else self.bind(self._exits, "exits")

    def _argument(self, argument: Argument) -> str:
        value = self.need(argument.need)
        return value if argument.name is None else f"{argument.name}={value}"

    def need(self, need: Need) -> str:
        """The expression for what a parameter gets."""
        match need:
            case Value(node):
                return self.get(node)
            case Members(nodes):
                return f"[{', '.join([self.get(node) for node in nodes])}]"
            case Constant(value):
                return self.bind(value)
            case FactoryOf(key, is_async):
                made = AsyncFactory if is_async else Factory
                return f"{self.bind(made)}({self.place}, {self.bind(key, 'k')})"
            case Surroundings():
                return self.place

    @property
    def place(self) -> str:
        """The scope, or the container where there is none."""
        return "scope" if self.in_scope else "scope.container"


class FreshText(SyncText):
    """A function that makes everything in a scope of its own, straight on, and may wait for one after the other."""

    def __init__(self, *, scope: bool) -> None:
        super().__init__(in_scope=True)
        # Whether there is a scope object that somebody may keep and ask later.
        self.has_scope = scope
        self.given: dict[Any, str] = {}
        self._made: dict[Any, str] = {}

    @property
    def exits(self) -> str:
        """The list of this call."""
        return "exits"

    def get(self, node: Node, *, top: bool = False) -> str:  # noqa: ARG002 - nothing is inlined twice here
        """Lines that make a node's value, or the name it has already."""
        if node.lifetime is Lifetime.SINGLETON:
            return self.singleton(node)
        if node.lifetime is Lifetime.TRANSIENT:
            return self.make(node)
        if node.registration.provider.kind is Kind.GIVEN:
            return self.given.setdefault(node.key, f"given{len(self.given)}")
        if node.slot not in self._made:
            value = self.make(node)
            self._made[node.slot] = value
            if self.has_scope:
                self.line(f"scope.values[{self.bind(node.slot, 'k')}] = {value}")
        return self._made[node.slot]

    def entered(self, node: Node, call: str) -> str:
        """Lines that turn what a provider's call gives into the value, awaiting it where it has to be."""
        kind, value, opened = node.registration.provider.kind, self.local(), self.local()
        if kind is Kind.COROUTINE:
            self.line(f"{value} = await {call}")
        elif kind is Kind.ASYNC_GENERATOR:
            self.line(f"{opened} = {call}")
            self.line(f"{value} = await {self.bind(started_async)}({opened})")
            self.line(f"{self.exits}.append({opened})")
        elif kind is Kind.ASYNC_MANAGER:
            self.line(f"{opened} = {call}")
            self.line(f"{value} = await {opened}.__aenter__()")
            self.line(f"{self.exits}.append({self.bind(ManagerExit)}({opened}, is_async=True))")
        else:
            return super().entered(node, call)
        return value

    def _singleton_call(self, node: Node) -> str:
        if not node.waits:
            return super()._singleton_call(node)
        from spikard.di.waiting import obtain_singleton

        return f"await {self.bind(obtain_singleton)}({self.bind(node, 'n')})"


def is_unchecked(node: Node) -> bool:
    """Whether only the value itself can tell if it is what the key says."""
    registration = node.registration
    key = node.key
    return (
        registration.checked
        and isinstance(key, type)
        and not getattr(key, "_is_protocol", False)
        and registration.provider.makes() is MISSING
    )


def checked(node: Node, value: Any) -> Any:
    """The value, if it is one of the key's type."""
    if isinstance(value, node.key):
        return value
    made = type(value).__qualname__
    msg = f"the provider of {node.name} gives a value of type {made}"
    if made == "coroutine":
        value.close()
        raise AsyncDependency(f"the provider of {node.name} gives a coroutine: write it as `async def`")
    raise DependencyTypeError(msg)


def build_singleton(node: Node) -> Any:
    """A singleton's value, built once whatever the number of threads that ask."""
    return build(node, singleton_builder(node))


def _scope_value(scope: Any, node: Node) -> Any:
    return scope_resolver(node)(scope)


def _fresh_value(scope: Any, node: Node, in_scope: bool) -> Any:
    return (scope_resolver if in_scope else root_resolver)(node)(scope)


def _absent(key: Any) -> ScopeError:
    return ScopeError(f"this scope has no {described(key)}: whoever opens it brings it")


def _unawaited(node: Node) -> AsyncDependency:
    provider = node.registration.provider
    return AsyncDependency(
        f"{node.name} is made by {provider.name}, a provider that has to be awaited ({provider.kind.value}): "
        "use `await aresolve(...)`"
    )


__all__ = ["FreshText", "SyncText", "Text", "build_singleton", "root_resolver", "scope_resolver", "singleton_builder"]
