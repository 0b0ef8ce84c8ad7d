"""A key with everything known about how its value is made."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from spikard.di.key import described
from spikard.di.need import Argument, FactoryOf, Members, Surroundings, Value
from spikard.di.registration import Lifetime, Registration

if TYPE_CHECKING:
    from spikard.di.layer import Layer

Resolver = Callable[[Any], Any]


class Node:
    """A resolved registration: its arguments are nodes themselves.

    `slot` is where a value is kept: the key, or a name of its own while an override is in force.
    """

    __slots__ = (
        "arguments",
        "build",
        "captures",
        "cleans",
        "flight",
        "in_root",
        "in_scope",
        "is_async",
        "key",
        "layer",
        "lifetime",
        "lock",
        "owner",
        "registration",
        "slot",
        "waits",
    )

    def __init__(
        self, key: Any, registration: Registration, layer: "Layer", slot: Any, arguments: tuple[Argument, ...]
    ) -> None:
        self.key = key
        self.registration = registration
        self.lifetime = registration.lifetime
        self.layer = layer
        self.slot = slot
        self.arguments = arguments
        self.is_async = registration.provider.is_async
        below = [node for node in self.dependencies() if node.lifetime is not Lifetime.SINGLETON]
        # Of what is built with this value, singletons apart: is anything awaited, cleaned up, or given the scope?
        self.waits: bool = self.is_async or any(node.waits for node in self.dependencies())
        self.cleans: bool = registration.provider.cleans or any(node.cleans for node in below)
        self.captures: bool = any(isinstance(argument.need, FactoryOf | Surroundings) for argument in arguments) or any(
            node.captures for node in below
        )
        self.in_scope: Resolver | None = None
        self.in_root: Resolver | None = None
        self.build: Resolver | None = None
        # For singletons: who builds it just now.
        self.lock = threading.Lock()
        self.owner: int | None = None
        self.flight: Future[None] | None = None

    @property
    def name(self) -> str:
        """The key as it is shown to people."""
        return described(self.key)

    def dependencies(self) -> "Iterator[Node]":
        """The nodes among the arguments."""
        for argument in self.arguments:
            if isinstance(argument.need, Value):
                yield argument.need.node
            elif isinstance(argument.need, Members):
                yield from argument.need.nodes

    def __repr__(self) -> str:
        return f"<Node {self.name}, {self.lifetime.value}>"


def walk(nodes: "Iterator[Node] | list[Node]") -> "Iterator[Node]":
    """These nodes and all below them, each once, what is needed before what needs it."""
    seen: set[int] = set()

    def visit(node: Node) -> Iterator[Node]:
        if id(node) in seen:
            return
        seen.add(id(node))
        for dependency in node.dependencies():
            yield from visit(dependency)
        yield node

    for node in nodes:
        yield from visit(node)


def waits_now(node: Node) -> bool:
    """Whether the value has to be awaited in a new scope, as some singletons are there already."""
    if node.lifetime is Lifetime.SINGLETON:
        return node.waits and node.slot not in node.layer.container.built
    return node.waits and (node.is_async or any(waits_now(dependency) for dependency in node.dependencies()))


__all__ = ["Node", "Resolver", "waits_now", "walk"]
