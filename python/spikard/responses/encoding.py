"""How values that JSON has no form for are written; the native encoder asks here for all but plain values."""

from collections.abc import Callable
from pathlib import PurePath
from typing import Any

import msgspec

Encoder = Callable[[Any], Any]

# msgspec takes only the types themselves; what derives from them is written as they are.
_SUBCLASSED: dict[type, Encoder] = {
    str: str.__str__,
    int: int.__int__,
    float: float.__float__,
    dict: dict,
    list: list,
    tuple: tuple,
    bytes: bytes,
    set: set,
    frozenset: set,
}

_encoders: list[tuple[type, Encoder]] = []


def register_encoder(type_: type, encoder: Encoder) -> None:
    """Write instances of `type_` as what `encoder(value)` gives; the newest registration is asked first.

    An encoder may return `NotImplemented` to pass the value on to the next.
    """
    _encoders.insert(0, (type_, encoder))


def _encode_other(value: Any) -> Any:
    """msgspec's hook for types it does not know."""
    for type_, encoder in _encoders:
        if isinstance(value, type_):
            encoded = encoder(value)
            if encoded is not NotImplemented:
                return encoded
    if isinstance(value, PurePath):
        return str(value)
    dump = getattr(value, "model_dump", None)
    if dump is not None:
        return dump(mode="json")
    as_dict = getattr(value, "_asdict", None)
    if as_dict is not None:
        return as_dict()
    for base, plain in _SUBCLASSED.items():
        if isinstance(value, base):
            return plain(value)
    raise TypeError(
        f"objects of type {type(value).__qualname__} cannot be encoded as JSON; "
        "register an encoder with spikard.register_encoder"
    )


def to_builtins(value: Any) -> Any:
    """`value` as dicts, lists and scalars; registered encoders win over what msgspec does by itself."""
    for type_, encoder in _encoders:
        if isinstance(value, type_):
            encoded = encoder(value)
            if encoded is not NotImplemented:
                return encoded
    as_dict = getattr(value, "_asdict", None)
    if as_dict is not None and isinstance(value, tuple):
        return as_dict()
    return msgspec.to_builtins(value, str_keys=True, enc_hook=_encode_other)
