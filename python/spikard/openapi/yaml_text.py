"""Documents as YAML."""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

# What needs no quotes: words that no reader takes for anything but text.
PLAIN = re.compile(r"[A-Za-z_/$][\w/$-]*(?: [\w/$-]+)*", re.ASCII)
NOT_TEXT = frozenset({"false", "n", "no", "null", "off", "on", "true", "y", "yes"})


def to_yaml(document: Mapping[str, Any]) -> str:
    """A document of plain values in block style."""
    lines: list[str] = []
    _write(document, "", "", lines)
    return "\n".join(lines) + "\n"


def _write(value: Any, first: str, margin: str, lines: list[str]) -> None:
    """Write the lines of a mapping or list; the first of them begins with `first`, the others with `margin`."""
    if isinstance(value, dict):
        for name, member in value.items():
            _write_member(f"{first}{_scalar(name)}:", member, f"{margin}  ", lines)
            first = margin
    else:
        for item in value:
            if isinstance(item, dict | list) and item:
                _write(item, f"{first}- ", f"{margin}  ", lines)
            else:
                lines.append(f"{first}- {_flat(item)}")
            first = margin


def _write_member(beginning: str, value: Any, margin: str, lines: list[str]) -> None:
    if isinstance(value, dict | list) and value:
        lines.append(beginning)
        _write(value, margin, margin, lines)
    else:
        lines.append(f"{beginning} {_flat(value)}")


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, list):
        return "[]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return _text(value)
    text = json.dumps(value)
    # An exponent without a point makes a text of it for some readers.
    return re.sub(r"^(-?\d+)e", r"\1.0e", text) if isinstance(value, float) else text


@lru_cache(4096)
def _text(text: str) -> str:
    is_plain = PLAIN.fullmatch(text) is not None and text.lower() not in NOT_TEXT
    return text if is_plain else _quoted(text)


def _quoted(text: str) -> str:
    """In double quotes, with what YAML does not take unescaped written as escapes."""
    quoted = json.dumps(text, ensure_ascii=False)
    return re.sub(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]", lambda found: f"\\u{ord(found[0]):04x}", quoted)


__all__ = ["to_yaml"]
