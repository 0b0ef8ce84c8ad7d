"""JSON writes an integer as `1.0` too; where the schema says integer, an int is delivered."""

from collections.abc import Callable, Mapping
from typing import Any

Decode = Callable[[bytes], Any]

# Subschemas that describe the same value, and those that describe members.
SAME_VALUE = ("allOf", "anyOf", "oneOf")
DEPTH = 64


def delivering_integers(decode: Decode, schema: Mapping[str, Any]) -> Decode:
    """`decode`, with integral floats made int at the places where the schema wants integers."""
    if not _wants_integers(schema):
        return decode

    def decode_whole(data: bytes) -> Any:
        value = decode(data)
        # Without a point or an exponent there is no float in the text.
        if b"." in data or b"e" in data or b"E" in data:
            return _whole(value, schema, schema, DEPTH)
        return value

    return decode_whole


def _wants_integers(schema: Any) -> bool:
    if isinstance(schema, Mapping):
        kind = schema.get("type")
        if kind == "integer" or (isinstance(kind, list) and "integer" in kind and "number" not in kind):
            return True
        return any(_wants_integers(value) for value in schema.values())
    return isinstance(schema, list) and any(_wants_integers(item) for item in schema)


def _whole(value: Any, schema: Any, root: Mapping[str, Any], depth: int) -> Any:
    if not isinstance(schema, Mapping) or depth == 0:
        return value
    reference = schema.get("$ref")
    if isinstance(reference, str):
        value = _whole(value, _referred(root, reference), root, depth - 1)
    for keyword in SAME_VALUE:
        for branch in schema.get(keyword, ()):
            value = _whole(value, branch, root, depth - 1)
    if isinstance(value, float):
        return int(value) if value.is_integer() and _is_integer(schema) else value
    if isinstance(value, list):
        first = schema.get("prefixItems", ())
        rest = schema.get("items")
        return [
            _whole(item, first[index] if index < len(first) else rest, root, depth - 1)
            for index, item in enumerate(value)
        ]
    if isinstance(value, dict):
        named, rest = schema.get("properties", {}), schema.get("additionalProperties")
        return {name: _whole(item, named.get(name, rest), root, depth - 1) for name, item in value.items()}
    return value


def _is_integer(schema: Mapping[str, Any]) -> bool:
    kind = schema.get("type")
    kinds = kind if isinstance(kind, list) else [kind]
    return "integer" in kinds and "number" not in kinds


def _referred(root: Any, reference: str) -> Any:
    """What a local reference points to; None for anchors and for what isn't there."""
    if not reference.startswith("#"):
        return None
    found: Any = root
    for step in reference[1:].split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


__all__ = ["delivering_integers"]
