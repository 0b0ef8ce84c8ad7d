"""The types a developer would write for values of a schema."""

import datetime as dt
import decimal
import uuid
from collections.abc import Mapping
from typing import Any

from spikard import UploadFile
from tests.conformance.case import Parameter

TYPES = {"integer": int, "number": float, "boolean": bool, "string": str}
FORMATS = {
    "uuid": uuid.UUID,
    "date": dt.date,
    "date-time": dt.datetime,
    "time": dt.time,
    "duration": dt.timedelta,
    "decimal": decimal.Decimal,
    "binary": UploadFile,
}


def annotation_of(parameter: Parameter) -> Any:
    """The annotation of a parameter."""
    annotation = type_of(parameter.schema)
    return annotation if parameter.required or annotation is Any else annotation | None


def type_of(schema: Mapping[str, Any]) -> Any:
    """The type for a schema, Any where there is no plain one."""
    kind = schema.get("type")
    if kind == "array":
        return list[type_of(schema.get("items", {}))]  # type: ignore[misc]
    if kind == "string":
        return FORMATS.get(schema.get("format", ""), str)
    return TYPES.get(kind, Any) if isinstance(kind, str) else Any
