"""What data of dialogues may be made of, the same for every storage."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

_PLAIN = (str, int, float, bool, type(None), datetime, date, Decimal, UUID, bytes)


def copied(value: Any, path: str = "data") -> Any:
    """The value, nothing of it shared with the original.

    Raises:
        TypeError: Something in it cannot be kept; the message has its path.
    """
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"{path} has the key {key!r}, and only text can be a key")
        return {key: copied(item, f"{path}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [copied(item, f"{path}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, msgspec.Struct):
        return copied(msgspec.structs.asdict(value), path)
    raise TypeError(
        f"{path} is a {type(value).__name__}, which no storage can keep: give text, numbers, dates, lists or mappings"
    )


def as_mapping(data: Any) -> dict[str, Any]:
    """Data of a dialogue, copied.

    Raises:
        TypeError: It is no mapping, or something in it cannot be kept.
    """
    if not isinstance(data, Mapping):
        raise TypeError(f"data of a dialogue is a mapping, not {type(data).__name__}")
    found: dict[str, Any] = copied(data)
    return found


# JSON has no dates and no bytes: these are written with their kind beside them.
_KINDS: dict[str, tuple[type, Callable[[Any], str], Callable[[str], Any]]] = {
    "datetime": (datetime, datetime.isoformat, datetime.fromisoformat),
    "date": (date, date.isoformat, date.fromisoformat),
    "decimal": (Decimal, str, Decimal),
    "uuid": (UUID, str, UUID),
    "bytes": (bytes, bytes.hex, bytes.fromhex),
}
_MARK = "$kind"


def encode(data: Mapping[str, Any]) -> bytes:
    """As JSON."""
    return msgspec.json.encode(_marked(as_mapping(data)))


def decode(text: bytes | str) -> dict[str, Any]:
    """From JSON."""
    found = _unmarked(msgspec.json.decode(text))
    return found if isinstance(found, dict) else {}


def _marked(value: Any) -> Any:
    for name, (kind, write, _) in _KINDS.items():
        if isinstance(value, kind):
            return {_MARK: name, "value": write(value)}
    if isinstance(value, dict):
        return {key: _marked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_marked(item) for item in value]
    return value


def _unmarked(value: Any) -> Any:
    if isinstance(value, dict):
        kind = _KINDS.get(value.get(_MARK, ""))
        if kind is not None and value.keys() == {_MARK, "value"}:
            return kind[2](value["value"])
        return {key: _unmarked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_unmarked(item) for item in value]
    return value


__all__ = ["as_mapping", "copied", "decode", "encode"]
