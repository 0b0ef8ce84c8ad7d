"""Guards that every machine has."""

from typing import Any


def always(ctx: dict[str, Any]) -> bool:  # noqa: ARG001 - a guard
    """Passes, whatever the context."""
    return True


def never(ctx: dict[str, Any]) -> bool:  # noqa: ARG001 - a guard
    """Refuses, whatever the context."""
    return False


def key_present(ctx: dict[str, Any], *, key: str = "key") -> bool:
    """Passes when the context has a value for the key."""
    return ctx.get(key) is not None


def key_missing(ctx: dict[str, Any], *, key: str = "key") -> bool:
    """Passes when the context has no value for the key."""
    return ctx.get(key) is None


GUARDS = {guard.__name__: guard for guard in (always, never, key_present, key_missing)}
