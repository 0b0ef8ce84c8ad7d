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
    return schema


__all__ = ["adapter", "annotated", "json_schema"]
