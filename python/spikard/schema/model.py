"""The one place that talks to pydantic, and only after the application has imported it."""

import re
import sys
from typing import Annotated, Any

# What pydantic writes for a Decimal; it says the same as the format, in a way regular engines cannot read.
DECIMAL_PATTERN = re.compile(r"^\^\(\?!\^\[-\+\.\]\*\$\)")


def adapter(annotation: Any) -> Any:
    """A pydantic TypeAdapter."""
    pydantic: Any = sys.modules.get("pydantic")
    if pydantic is None:
        import pydantic
    return pydantic.TypeAdapter(annotation)


def json_schema(annotation: Any) -> dict[str, Any]:
    """The schema of what pydantic accepts for a type."""
    schema: dict[str, Any] = adapter(annotation).json_schema(mode="validation", ref_template="#/$defs/{model}")
    cleaned: dict[str, Any] = _readable(schema)
    return cleaned


def annotated(core: Any, item: Any) -> Any:
    """`Annotated[core, item]` with a computed item."""
    return Annotated[core, item]


def _readable(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_readable(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {keyword: _readable(value) for keyword, value in schema.items()}
    pattern = schema.get("pattern")
    if schema.get("type") == "string" and isinstance(pattern, str) and DECIMAL_PATTERN.match(pattern):
        schema = {**{keyword: value for keyword, value in schema.items() if keyword != "pattern"}, "format": "decimal"}
    return _joined(schema)


def _joined(schema: dict[str, Any]) -> dict[str, Any]:
    """`anyOf` of one plain schema and null as one schema: its faults say more than the combinator's."""
    branches = schema.get("anyOf")
    if not isinstance(branches, list) or len(branches) != 2 or {"type": "null"} not in branches:
        return schema
    branch = branches[0] if branches[1] == {"type": "null"} else branches[1]
    if not isinstance(branch.get("type"), str) or "const" in branch:
        return schema
    joined = {**branch, "type": [branch["type"], "null"]}
    if "enum" in branch:
        joined["enum"] = [*branch["enum"], None]
    return {**joined, **{keyword: value for keyword, value in schema.items() if keyword != "anyOf"}}


__all__ = ["adapter", "annotated", "json_schema"]
