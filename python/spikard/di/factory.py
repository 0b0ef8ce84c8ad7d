"""Functions that resolve a key when they are called: how a provider gets many values, or one later."""

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from spikard.di.key import described
from spikard.errors import CyclicDependency

if TYPE_CHECKING:
    from spikard.di.container import Container
    from spikard.di.scope import Scope

# More factories of one key inside each other than this cannot be meant.
MAX_NESTING = 50
_active: ContextVar[tuple[Any, ...]] = ContextVar("active_factories", default=())


class Factory:
    """Resolves a key in the scope or container it was made for."""

    __slots__ = ("_key", "_place")

    def __init__(self, place: "Scope | Container", key: Any) -> None:
        self._place = place
        self._key = key

    def __call__(self) -> Any:
        token = _entered(self._key)
        try:
            return self._place.resolve(self._key)
        finally:
            _active.reset(token)


class AsyncFactory:
    """Resolves a key in the scope or container it was made for, awaiting what has to be."""

    __slots__ = ("_key", "_place")

    def __init__(self, place: "Scope | Container", key: Any) -> None:
        self._place = place
        self._key = key

    async def __call__(self) -> Any:
        token = _entered(self._key)
        try:
            return await self._place.aresolve(self._key)
        finally:
            _active.reset(token)


def _entered(key: Any) -> Any:
    active = _active.get()
    if len(active) >= MAX_NESTING and active.count(key) >= MAX_NESTING:
        first = active.index(key)
        again = active.index(key, first + 1)
        chain = " -> ".join(described(part) for part in (*active[first:again], key))
        raise CyclicDependency(f"{chain} (through factories)")
    return _active.set((*active, key))


__all__ = ["AsyncFactory", "Factory"]
