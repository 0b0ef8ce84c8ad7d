"""What values are asked for by: a type, a type with a name, or text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, get_args, get_origin

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Named:
    """Tells two values of one type apart: `Annotated[Engine, Named("reporting")]` is a key of its own."""

    name: str


class InjectMarker:
    """Marks a parameter that the container fills, whatever else its type could mean."""

    __slots__ = ("key",)

    def __init__(self, key: Any = None) -> None:
        self.key = key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, InjectMarker) and self.key == other.key

    def __hash__(self) -> int:
        return hash((InjectMarker, self.key))

    def __repr__(self) -> str:
        return "Inject" if self.key is None else f"Inject({self.key!r})"


Inject = Annotated[T, InjectMarker()]
"""`db: Inject[Database]`: this parameter comes from the container."""


def key_of(annotation: Any) -> Any:
    """The key an annotation stands for: of the extras of `Annotated` only a `Named` counts."""
    if get_origin(annotation) is not Annotated:
        return annotation
    core, *extras = get_args(annotation)
    name = next((extra for extra in extras if isinstance(extra, Named)), None)
    return core if name is None else Annotated[core, name]


def inject_marker(annotation: Any) -> InjectMarker | None:
    """The `Inject` in an annotation."""
    if get_origin(annotation) is not Annotated:
        return None
    return next((extra for extra in get_args(annotation)[1:] if isinstance(extra, InjectMarker)), None)


def described(key: Any) -> str:
    """A key as it is shown to people."""
    if isinstance(key, str):
        return repr(key)
    if get_origin(key) is Annotated:
        core, *extras = get_args(key)
        names = [repr(extra.name) for extra in extras if isinstance(extra, Named)]
        return f"{described(core)} named {names[0]}" if names else described(core)
    if isinstance(key, type) and not get_args(key):
        return key.__qualname__.rpartition("<locals>.")[2]
    name = getattr(key, "__qualname__", None)
    return name.rpartition("<locals>.")[2] if isinstance(name, str) else str(key).replace("typing.", "")


def way(path: Sequence[Any], last: Any, *, as_it_is: bool = False) -> str:
    """The chain of keys that led somewhere, for messages."""
    return " -> ".join([*(described(key) for key in path), last if as_it_is else described(last)])


__all__ = ["Inject", "InjectMarker", "Named", "described", "inject_marker", "key_of", "way"]
