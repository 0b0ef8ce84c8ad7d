"""Documents as YAML."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

# What needs no quotes: words that no reader takes for anything but text.
PLAIN = re.compile(r"[A-Za-z_/$][\w/$-]*(?: [\w/$-]+)*", re.ASCII)
NOT_TEXT = frozenset({"false", "n", "no", "null", "off", "on", "true", "y", "yes"})


def to_yaml(document: Mapping[str, Any]) -> str:
    """A document of plain values in block style."""
    return "\n".join(_block(document, 0)) + "\n"


def _block(value: Any, depth: int) -> Iterator[str]:
    margin = "  " * depth
    if isinstance(value, Mapping):
        for name, member in value.items():
            yield from _entry(f"{margin}{_scalar(str(name))}:", member, depth)
    else:
        for item in value:
            if isinstance(item, Mapping | list) and item:
                first, *rest = _block(item, depth + 1)
                yield f"{margin}- {first.lstrip()}"
                yield from rest
            else:
                yield f"{margin}- {_flat(item)}"


def _entry(beginning: str, value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, Mapping | list) and value:
        yield beginning
        yield from _block(value, depth + 1)
    else:
        yield f"{beginning} {_flat(value)}"


def _flat(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, list):
        return "[]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        is_plain = PLAIN.fullmatch(value) is not None and value.lower() not in NOT_TEXT
        return value if is_plain else _quoted(value)
    text = json.dumps(value)
    # An exponent without a point makes a text of it for some readers.
    return re.sub(r"^(-?\d+)e", r"\1.0e", text) if isinstance(value, float) else text


def _quoted(text: str) -> str:
    """In double quotes, with what YAML does not take unescaped written as escapes."""
    quoted = json.dumps(text, ensure_ascii=False)
    return re.sub(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]", lambda found: f"\\u{ord(found[0]):04x}", quoted)


__all__ = ["to_yaml"]
