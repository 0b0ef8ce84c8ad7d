"""Path patterns: the names in them and what their converters imply."""

from collections.abc import Mapping
from typing import Any

from spikard.errors import RouteError
from spikard.routing.url import PLACEHOLDER

SLUG = r"^[a-z0-9]+(?:-[a-z0-9]+)*$"
CONVERTERS: Mapping[str, dict[str, Any]] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "uuid": {"type": "string", "format": "uuid"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "time": {"type": "string", "format": "time"},
    "decimal": {"type": "string", "format": "decimal"},
    "slug": {"type": "string", "pattern": SLUG},
    "path": {"type": "string"},
}


def path_names(pattern: str, described: str) -> dict[str, str]:
    """The names in a pattern with their converters, `str` where none is written."""
    names: dict[str, str] = {}
    for match in PLACEHOLDER.finditer(pattern):
        name, converter = match[1], match[2] or "str"
        if name in names:
            raise RouteError(f"{described}: the path {pattern!r} has {{{name}}} twice; rename one of them")
        if converter not in CONVERTERS:
            raise RouteError(
                f"{described}: the path {pattern!r} has the unknown converter {converter!r} for {name!r}; "
                f"use one of {', '.join(CONVERTERS)}"
            )
        names[name] = converter
    return names


__all__ = ["CONVERTERS", "path_names"]
