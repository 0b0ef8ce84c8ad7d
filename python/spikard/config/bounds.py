"""Checks of single fields; each refusal names the class, the field, the bound and the value."""

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def whole(owner: object, field: str, *, least: int, most: int | None = None, optional: bool = False) -> None:
    """The field is an integer within bounds."""
    value = getattr(owner, field)
    if optional and value is None:
        return
    bound = f"at least {least}" if most is None else f"from {least} to {most}"
    if isinstance(value, bool) or not isinstance(value, int) or value < least or (most is not None and value > most):
        raise refusal(owner, field, f"an integer {bound}{' or None' if optional else ''}", value)


def number(owner: object, field: str, *, least: float, exclusive: bool = False, optional: bool = False) -> None:
    """The field is a finite number within bounds."""
    value = getattr(owner, field)
    if optional and value is None:
        return
    bound = f"above {least:g}" if exclusive else f"at least {least:g}"
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not math.isfinite(value)
        or value < least
        or (exclusive and value == least)
    ):
        raise refusal(owner, field, f"a number {bound}{' or None' if optional else ''}", value)


def text(owner: object, field: str, *, optional: bool = False) -> None:
    """The field is a string that isn't empty."""
    value = getattr(owner, field)
    if optional and value is None:
        return
    if not isinstance(value, str) or not value:
        raise refusal(owner, field, f"a string that is not empty{' or None' if optional else ''}", value)


def header_value(owner: object, field: str, *, optional: bool = False) -> None:
    """The field can stand in a header: printable ASCII."""
    text(owner, field, optional=optional)
    value = getattr(owner, field)
    if value is not None and not (value.isascii() and value.isprintable()):
        raise refusal(owner, field, "printable ASCII", value)


def choice(owner: object, field: str, choices: Iterable[Any]) -> None:
    """The field is one of a few values."""
    value = getattr(owner, field)
    allowed = tuple(choices)
    # A flag is no number here: `1 in (True, False)` must not pass.
    if not any(value is item or (type(value) is type(item) and value == item) for item in allowed):
        raise refusal(owner, field, "one of " + ", ".join(repr(item) for item in allowed), value)


def strings(owner: object, field: str, *, optional: bool = False) -> None:
    """The field is a list or tuple of strings."""
    value = getattr(owner, field)
    if optional and value is None:
        return
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(item, str) for item in value):
        raise refusal(owner, field, f"a list of strings{' or None' if optional else ''}", value)


def instance(owner: object, field: str, kind: type, *, optional: bool = False) -> None:
    """The field is an instance of a class."""
    value = getattr(owner, field)
    if optional and value is None:
        return
    if not isinstance(value, kind):
        raise refusal(owner, field, f"a {kind.__name__}{' or None' if optional else ''}", value)


def instances(owner: object, field: str, kind: type) -> None:
    """The field is a list or tuple of instances of a class."""
    value = getattr(owner, field)
    if not isinstance(value, list | tuple) or not all(isinstance(item, kind) for item in value):
        raise refusal(owner, field, f"a list of {kind.__name__}", value)


def instance_values(owner: object, field: str, kind: type) -> None:
    """The field is a mapping of names to instances of a class."""
    value = getattr(owner, field)
    if not isinstance(value, Mapping) or not all(isinstance(item, kind) for item in value.values()):
        raise refusal(owner, field, f"a mapping of names to {kind.__name__}", value)


def file_path(owner: object, field: str, *, optional: bool = False) -> None:
    """The field is a path in the file system that isn't empty."""
    value = getattr(owner, field)
    if optional and value is None:
        return
    if not isinstance(value, str | os.PathLike) or not os.fspath(value):
        raise refusal(owner, field, f"a path that is not empty{' or None' if optional else ''}", value)


def route_path(owner: object, field: str, *, optional: bool = False) -> None:
    """The field is a path that starts with a slash."""
    value = getattr(owner, field)
    if optional and value is None:
        return
    if not isinstance(value, str) or not value.startswith("/"):
        raise refusal(owner, field, f"a path starting with '/'{' or None' if optional else ''}", value)


def refusal(owner: object, field: str, bound: str, value: Any) -> ValueError:
    """The error of a field out of bounds."""
    return ValueError(f"{type(owner).__name__}.{field} must be {bound}, not {value!r}")


__all__ = [
    "choice",
    "file_path",
    "header_value",
    "instance",
    "instance_values",
    "instances",
    "number",
    "refusal",
    "route_path",
    "strings",
    "text",
    "whole",
]
