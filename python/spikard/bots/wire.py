"""How parameters are written for the server."""

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from spikard.bots.types import ParentMessage


def encode_params(token: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a form: the token first, what is None left out, what is not a text or a number written as one."""
    fields: dict[str, Any] = {"token": token}
    for name, value in params.items():
        if value is not None:
            fields[name] = encode_value(value)
    return fields


def encode_value(value: Any) -> Any:
    """One value: booleans are words, lists, mappings and models are compact JSON, the rest is as it is."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str | int | float):
        return value
    if isinstance(value, Mapping | list | tuple | msgspec.Struct):
        return dump_json(value)
    return str(value)


def dump_json(value: Any) -> str:
    """Compact JSON; what is not ASCII stays."""
    return msgspec.json.encode(value).decode()


def join_ids(value: str | int | Iterable[str | int] | None) -> str | None:
    """One id or several as the server takes them: with commas between. None stays None."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value)
    return ",".join(str(one) for one in value)


def dump_keyboard(keyboard: Any) -> str | None:
    """Buttons as JSON, from a builder, rows of buttons, rows of mappings or ready JSON.

    Raises:
        TypeError: It is none of these.
    """
    if keyboard is None or isinstance(keyboard, str):
        return keyboard
    as_json = getattr(keyboard, "as_json", None)
    if as_json is not None:
        return str(as_json())
    if isinstance(keyboard, list | tuple):
        return dump_json([[_button(button) for button in row] for row in keyboard])
    raise TypeError(f"A keyboard is a builder, rows of buttons or JSON, not {type(keyboard).__name__}")


def _button(button: Any) -> Any:
    to_dict = getattr(button, "to_dict", None)
    if to_dict is None:
        return button
    return {name: value for name, value in to_dict().items() if value is not None}


def dump_format(format_: Any) -> str | None:
    """Ranges of styles as JSON, from a builder, a `MessageFormat`, a mapping or ready JSON.

    Raises:
        TypeError: It is none of these.
    """
    from spikard.bots.types import MessageFormat

    if format_ is None or isinstance(format_, str):
        return format_
    if isinstance(format_, MessageFormat):
        styles = format_.to_dict(exclude_none=True)
        return dump_json({style: ranges for style, ranges in styles.items() if ranges})
    if isinstance(format_, Mapping):
        return dump_json(format_)
    to_json = getattr(format_, "to_json", None)
    if to_json is not None:
        return str(to_json())
    raise TypeError(f"A format is a FormatBuilder, a MessageFormat, a mapping or JSON, not {type(format_).__name__}")


def dump_parent_topic(parent_topic: "ParentMessage | Mapping[str, Any] | str | None") -> str | None:
    """The message that a thread hangs under, as JSON.

    Raises:
        TypeError: It is neither a `ParentMessage` nor a mapping.
    """
    from spikard.bots.types import ParentMessage

    if parent_topic is None or isinstance(parent_topic, str):
        return parent_topic
    if isinstance(parent_topic, ParentMessage):
        return dump_json(parent_topic)
    if isinstance(parent_topic, Mapping):
        return dump_json(parent_topic)
    raise TypeError(f"A parent topic is a ParentMessage or a mapping, not {type(parent_topic).__name__}")


__all__ = [
    "dump_format",
    "dump_json",
    "dump_keyboard",
    "dump_parent_topic",
    "encode_params",
    "encode_value",
    "join_ids",
]
