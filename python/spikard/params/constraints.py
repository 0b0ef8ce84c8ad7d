"""Constraints of a marker and the JSON Schema they stand for."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

# Keyword of a marker -> JSON Schema keyword; size limits depend on the kind of value, see `sized`.
KEYWORDS = {
    "gt": "exclusiveMinimum",
    "ge": "minimum",
    "lt": "exclusiveMaximum",
    "le": "maximum",
    "multiple_of": "multipleOf",
    "pattern": "pattern",
    "format": "format",
    "enum": "enum",
    "min_items": "minItems",
    "max_items": "maxItems",
    "unique_items": "uniqueItems",
    "title": "title",
    "description": "description",
}
SIZES = {"array": ("minItems", "maxItems"), "object": ("minProperties", "maxProperties")}


class MarkerKeywords(TypedDict, total=False):
    """The keywords all markers take."""

    schema: Mapping[str, Any] | None
    alias: str | None
    title: str | None
    description: str | None
    example: Any
    deprecated: bool
    include_in_schema: bool
    secret: bool
    gt: float | None
    ge: float | None
    lt: float | None
    le: float | None
    multiple_of: float | None
    min_length: int | None
    max_length: int | None
    pattern: str | None
    format: str | None
    enum: Sequence[Any] | None
    min_items: int | None
    max_items: int | None
    unique_items: bool | None


def sized(kind: Any) -> tuple[str, str]:
    """The keywords that limit the size of a value of a JSON type: characters, items or properties."""
    kinds = kind if isinstance(kind, list) else [kind]
    for name, keywords in SIZES.items():
        if name in kinds:
            return keywords
    return "minLength", "maxLength"


def schema_keywords(values: Mapping[str, Any], kind: Any) -> dict[str, Any]:
    """The JSON Schema keywords of a marker's constraints, for a value of the JSON type `kind`."""
    schema = {
        keyword: list(values[name]) if name == "enum" else values[name]
        for name, keyword in KEYWORDS.items()
        if values.get(name) is not None
    }
    for name, keyword in zip(("min_length", "max_length"), sized(kind), strict=True):
        if values.get(name) is not None:
            schema[keyword] = values[name]
    if values.get("example") is not None:
        schema["examples"] = [values["example"]]
    if values.get("deprecated"):
        schema["deprecated"] = True
    return schema


__all__ = ["MarkerKeywords", "schema_keywords", "sized"]
