"""What `Annotated` says about a value, as JSON Schema keywords."""

import math
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from spikard.params.constraints import schema_keywords
from spikard.params.marker import Marker

BOUNDS = ("gt", "ge", "lt", "le", "multiple_of")
CONSTRAINTS = (*BOUNDS, "min_length", "max_length", "pattern")
# Libraries whose metadata carries constraints as attributes of these names.
SPEAKING = frozenset({"annotated_types", "pydantic", "msgspec"})
TEXTS = ("title", "description")


def keywords_of(metadata: tuple[Any, ...], kind: Any) -> dict[str, Any]:
    """The keywords for a value of the JSON type `kind`; later metadata wins."""
    keywords: dict[str, Any] = {}
    for item in flatten(metadata):
        if isinstance(item, Marker):
            keywords.update(item.constrain(kind))
        else:
            keywords.update(schema_keywords(_constraints(item), kind))
            keywords.update(_extra(item))
    return keywords


def flatten(metadata: tuple[Any, ...]) -> Iterator[Any]:
    """The metadata with groups (`Interval`, `Len`, pydantic's `Field`) opened."""
    for item in metadata:
        yield item
        if getattr(item, "__is_annotated_types_grouped_metadata__", False):
            yield from flatten(tuple(item))
        elif is_field_info(item):
            yield from flatten(tuple(item.metadata))


def is_field_info(item: Any) -> bool:
    """Whether the item is what pydantic's `Field` gives."""
    return type(item).__module__.startswith("pydantic") and hasattr(item, "json_schema_extra")


def predicates(metadata: tuple[Any, ...]) -> list[Any]:
    """The functions of `annotated_types.Predicate`: no schema can express them."""
    return [item.func for item in flatten(metadata) if type(item).__name__ == "Predicate" and hasattr(item, "func")]


def _constraints(item: Any) -> dict[str, Any]:
    documentation = getattr(item, "documentation", None)
    if isinstance(documentation, str):
        return {"description": documentation}
    if type(item).__module__.split(".")[0] not in SPEAKING:
        return {}
    found = {name: getattr(item, name, None) for name in CONSTRAINTS}
    for name in BOUNDS:
        found[name] = _json_number(found[name])
    pattern = found["pattern"]
    found["pattern"] = getattr(pattern, "pattern", pattern)
    texts = {name: getattr(item, name, None) for name in TEXTS}
    return {**found, **{name: text for name, text in texts.items() if isinstance(text, str)}}


def _json_number(value: Any) -> int | float | None:
    """The bound as JSON has it; None for bounds on dates and the like."""
    if isinstance(value, Decimal):
        value = int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return value


def _extra(item: Any) -> dict[str, Any]:
    extra: dict[str, Any] = {}
    if type(item).__module__.split(".")[0] not in SPEAKING:
        return extra
    examples = getattr(item, "examples", None)
    if isinstance(examples, list) and examples:
        extra["examples"] = examples
    schema = item.extra_json_schema if isinstance(item, msgspec.Meta) else getattr(item, "json_schema_extra", None)
    if isinstance(schema, Mapping):
        extra.update(schema)
    return extra


__all__ = ["flatten", "is_field_info", "keywords_of", "predicates"]
