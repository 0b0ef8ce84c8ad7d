"""What a container knows of one key."""

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from spikard.di.provider import Kind, Provider


class Lifetime(enum.Enum):
    """How long a value lives."""

    SINGLETON = "singleton"
    SCOPED = "scoped"
    TRANSIENT = "transient"


@dataclass(frozen=True, slots=True)
class Registration:
    """A key with its provider; `checked` says that the type of what it makes matters."""

    key: Any
    lifetime: Lifetime
    provider: Provider
    eager: bool = False
    checked: bool = True


@dataclass(frozen=True, slots=True)
class Member:
    """The key of one of several registrations made with `many=True`."""

    key: Any
    index: int


class Provide:
    """A factory with its lifetime, for `app.provide(key, Provide(factory))`.

    One value for each request, unless `singleton` (one for the life of the application) or `cacheable=False`
    (a new one each time). `depends_on` names the keys of its arguments, in order or by the name of a parameter; left
    out, they are found by the factory's own parameters.
    """

    __slots__ = ("cacheable", "depends_on", "factory", "key", "singleton")

    def __init__(
        self,
        factory: Callable[..., Any],
        *,
        depends_on: Sequence[Any] | None = None,
        singleton: bool = False,
        cacheable: bool = True,
        key: Any = None,
    ) -> None:
        if not callable(factory):
            msg = f"Provide takes a class or a function, not {factory!r}; a value is given as it is"
            raise TypeError(msg)
        self.factory = factory
        self.depends_on = depends_on
        self.singleton = singleton
        self.cacheable = cacheable
        self.key = key

    @property
    def lifetime(self) -> Lifetime:
        """How long its values live."""
        if self.singleton:
            return Lifetime.SINGLETON
        return Lifetime.SCOPED if self.cacheable else Lifetime.TRANSIENT

    @property
    def provider(self) -> Provider:
        """The factory, read."""
        return Provider.of(self.factory, self.depends_on)

    def __repr__(self) -> str:
        return f"Provide({self.factory!r}, lifetime={self.lifetime.value})"


def instance_of(key: Any, value: Any) -> Registration:
    """A value that is there already."""
    return Registration(key, Lifetime.SINGLETON, Provider(value, Kind.VALUE), checked=False)


def given(key: Any) -> Registration:
    """A value that each scope brings."""
    return Registration(key, Lifetime.SCOPED, Provider(key, Kind.GIVEN), checked=False)


__all__ = ["Lifetime", "Member", "Provide", "Registration", "given", "instance_of"]
