"""JSON Schema as a tree of schemas: what is a schema in it, what is only data."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from spikard.schema.build import Schema

Change = Callable[[Schema], Schema]

NAMED_SCHEMAS = frozenset({"$defs", "definitions", "dependentSchemas", "patternProperties", "properties"})
LISTED_SCHEMAS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
SINGLE_SCHEMAS = frozenset(
    {
        "additionalItems",
        "additionalProperties",
        "contains",
        "contentSchema",
        "else",
        "if",
        "items",
        "not",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)
TIMES = frozenset({"date-time", "time"})
ZONE = re.compile(r"(?:[Zz]|[+-]\d\d:\d\d)$")
# The validator's own words, of no use to anybody else.
PRIVATE = frozenset({"no_null", "plainSeconds", "secret"})


def rewritten(schema: Any, change: Change) -> Any:
    """The schema with every schema in it changed, inner ones first; the original is left alone."""
    if not isinstance(schema, Mapping):
        return schema
    changed: Schema = {}
    for keyword, value in schema.items():
        if keyword in NAMED_SCHEMAS and isinstance(value, Mapping):
            changed[keyword] = {name: rewritten(inner, change) for name, inner in value.items()}
        elif keyword in LISTED_SCHEMAS and isinstance(value, list | tuple):
            changed[keyword] = [rewritten(inner, change) for inner in value]
        elif keyword in SINGLE_SCHEMAS:
            is_list = isinstance(value, list | tuple)
            changed[keyword] = [rewritten(inner, change) for inner in value] if is_list else rewritten(value, change)
        else:
            changed[keyword] = value
    return change(changed)


def subschemas(schema: Any, pointer: str = "") -> Iterator[tuple[str, Schema]]:
    """The schema and every schema in it, each with its JSON pointer."""
    if not isinstance(schema, Mapping):
        return
    yield pointer, dict(schema)
    for keyword, value in schema.items():
        inner = f"{pointer}/{keyword}"
        if keyword in NAMED_SCHEMAS and isinstance(value, Mapping):
            for name, member in value.items():
                yield from subschemas(member, f"{inner}/{escaped(name)}")
        elif keyword in LISTED_SCHEMAS | SINGLE_SCHEMAS:
            if isinstance(value, list | tuple):
                for index, member in enumerate(value):
                    yield from subschemas(member, f"{inner}/{index}")
            else:
                yield from subschemas(value, inner)


def without_local_time(schema: Schema) -> Schema:
    """The schema without a default that is a time of no zone: readers of the format refuse it."""
    default = schema.get("default")
    if schema.get("format") in TIMES and isinstance(default, str) and not ZONE.search(default):
        return {keyword: value for keyword, value in schema.items() if keyword != "default"}
    return schema


def escaped(name: str) -> str:
    """A name as part of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def modern(schema: Schema) -> Schema:
    """One schema, its inner ones left out, in the words of 2020-12 alone."""
    schema = without_local_time({keyword: value for keyword, value in schema.items() if keyword not in PRIVATE})
    if isinstance(schema.get("items"), list):
        schema["prefixItems"] = schema.pop("items")
        if "additionalItems" in schema:
            schema["items"] = schema.pop("additionalItems")
    if schema.get("items") is False and schema.get("maxItems") == len(schema.get("prefixItems", ())):
        # The length says it already, and there are readers that take no boolean for a schema.
        del schema["items"]
    dependencies = schema.pop("dependencies", None)
    if isinstance(dependencies, Mapping):
        lists = {name: value for name, value in dependencies.items() if isinstance(value, list | tuple)}
        others = {name: value for name, value in dependencies.items() if name not in lists}
        if lists:
            schema["dependentRequired"] = {**schema.get("dependentRequired", {}), **lists}
        if others:
            schema["dependentSchemas"] = {**schema.get("dependentSchemas", {}), **others}
    return _nullable(schema) if schema.pop("nullable", None) is True else schema


def _nullable(schema: Schema) -> Schema:
    kind = schema.get("type")
    if kind is None:
        return {"anyOf": [schema, {"type": "null"}]} if schema else schema
    kinds = list(kind) if isinstance(kind, list | tuple) else [kind]
    schema = {**schema, "type": kinds if "null" in kinds else [*kinds, "null"]}
    if "enum" in schema and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
    return schema


__all__ = ["escaped", "modern", "rewritten", "subschemas", "without_local_time"]
