"""Guards made of a key and a value, and of other guards."""

from collections.abc import Callable, Collection
from typing import Any

SyncGuard = Callable[[dict[str, Any]], bool]


def equals(key: str, value: Any) -> SyncGuard:
    """Passes when the context's key has the value."""

    def guard(context: dict[str, Any]) -> bool:
        return bool(context.get(key) == value)

    return guard


def greater_than(key: str, value: Any) -> SyncGuard:
    """Passes when the context's key is greater; what cannot be compared is not."""

    def guard(context: dict[str, Any]) -> bool:
        try:
            return bool(context.get(key) > value)
        except TypeError:
            return False

    return guard


def in_list(key: str, values: Collection[Any]) -> SyncGuard:
    """Passes when the context's key has one of the values; a missing key counts as None."""

    def guard(context: dict[str, Any]) -> bool:
        return context.get(key) in values

    return guard


def all_of(*guards: SyncGuard) -> SyncGuard:
    """Passes when all of the guards do."""

    def guard(context: dict[str, Any]) -> bool:
        return all(one(context) for one in guards)

    return guard


def any_of(*guards: SyncGuard) -> SyncGuard:
    """Passes when one of the guards does."""

    def guard(context: dict[str, Any]) -> bool:
        return any(one(context) for one in guards)

    return guard


def negate(guard_fn: SyncGuard) -> SyncGuard:
    """Passes when the guard does not."""

    def guard(context: dict[str, Any]) -> bool:
        return not guard_fn(context)

    return guard
