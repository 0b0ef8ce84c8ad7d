"""Types that only the application knows how to build."""

from collections.abc import Callable
from typing import Any

Decode = Callable[[Any, Any], Any]

_registered: list[Decode] = []


def register_decoder(decode: Decode) -> None:
    """Build values of types that are not known here: `decode(type, value)` gets the plain value of the body.

    A decoder returns `NotImplemented` to pass; the newest is asked first. It must be registered before the routes
    whose types it builds.
    """
    _registered.insert(0, decode)


def any_registered() -> bool:
    """Whether a type that is not known here may be known to a decoder."""
    return bool(_registered)


def decoded(cls: Any, value: Any) -> Any:
    """What the decoders make of a plain value; NotImplemented when none takes it."""
    results = (decode(cls, value) for decode in _registered)
    return next((result for result in results if result is not NotImplemented), NotImplemented)


__all__ = ["any_registered", "decoded", "register_decoder"]
