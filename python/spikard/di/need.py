"""What one parameter of a provider gets."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spikard.di.node import Node


@dataclass(frozen=True, slots=True)
class Value:
    """The value of a node."""

    node: "Node"


@dataclass(frozen=True, slots=True)
class Constant:
    """A default."""

    value: Any


@dataclass(frozen=True, slots=True)
class FactoryOf:
    """A function that resolves a key whenever it is called."""

    key: Any
    is_async: bool


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The container, or the scope when resolved in one."""


@dataclass(frozen=True, slots=True)
class Members:
    """All registrations of a key made with `many=True`."""

    nodes: "tuple[Node, ...]"


Need = Value | Constant | FactoryOf | Surroundings | Members


@dataclass(frozen=True, slots=True)
class Argument:
    """A need with its place in the call: by position where `name` is None."""

    name: str | None
    need: Need


__all__ = ["Argument", "Constant", "FactoryOf", "Members", "Need", "Surroundings", "Value"]
