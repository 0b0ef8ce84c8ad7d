"""Addresses from path patterns and values."""

import datetime as dt
import enum
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from spikard.errors import RouteError

PLACEHOLDER = re.compile(r"\{([^{}:]+)(?::([^{}]+))?\}")
# What may stand unescaped in a path segment; a `:path` value keeps its slashes as well.
SEGMENT_SAFE = "-._~!$&'()*+,;=:@"


def build_path(pattern: str, values: Mapping[str, Any]) -> str:
    """Fill a pattern such as `/users/{id:int}`; RouteError when values are missing or left over."""
    wanted = {match[1] for match in PLACEHOLDER.finditer(pattern)}
    if wanted != values.keys():
        missing = ", ".join(sorted(wanted - values.keys()))
        unknown = ", ".join(sorted(values.keys() - wanted))
        faults = [f"missing {missing}" if missing else "", f"unknown {unknown}" if unknown else ""]
        msg = f"cannot build an address for {pattern!r}: " + "; ".join(filter(None, faults))
        raise RouteError(msg)

    def fill(match: re.Match[str]) -> str:
        text = path_text(values[match[1]])
        if not text:
            msg = f"cannot build an address for {pattern!r}: {match[1]} is empty"
            raise RouteError(msg)
        return quote(text, safe=SEGMENT_SAFE + "/" if match[2] == "path" else SEGMENT_SAFE)

    return PLACEHOLDER.sub(fill, pattern)


def path_text(value: Any) -> str:
    """The text that the path converters read back as this value."""
    if isinstance(value, enum.Enum):
        value = value.value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return str(value)
