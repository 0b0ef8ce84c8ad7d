"""How a checked value of a parameter becomes what its annotation says."""

import datetime as dt
import decimal
import enum
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args

from spikard.routing.decoder import decoder_for
from spikard.routing.faults import faults_of
from spikard.schema import model
from spikard.schema.annotation import Annotation, is_union, peel
from spikard.schema.kind import needs_pydantic
from spikard.schema.metadata import predicates

Convert = Callable[[Any], Any]

# Types the native side delivers by itself for a format.
FORMATS: Mapping[Any, str] = {
    uuid.UUID: "uuid",
    dt.date: "date",
    dt.datetime: "date-time",
    dt.time: "time",
    dt.timedelta: "duration",
    decimal.Decimal: "decimal",
}
JSON_TYPES: Mapping[Any, str] = {bool: "boolean", int: "integer", float: "number", str: "string"}


def wants_objects(annotation: Any) -> bool:
    """Whether a UUID, a date or the like is the type or inside it."""
    peeled = peel(annotation)
    if peeled.origin is Literal:
        return False
    return peeled.core in FORMATS or any(
        wants_objects(argument) for argument in get_args(peeled.core) if argument is not Ellipsis
    )


def conversion(annotation: Annotation, schema: Mapping[str, Any], *, lenient: bool) -> Convert | None:
    """What to apply to the value the schema yields; None when it is right already.

    `lenient`: a value the annotation cannot hold is delivered as it is. TypeError for an impossible annotation.
    """
    convert = _conversion(annotation, schema)
    conditions = predicates(annotation.metadata)
    if conditions:
        convert = _conditional(convert, conditions)
    return _lenient(convert) if lenient and convert is not None else convert


def _conversion(annotation: Annotation, schema: Mapping[str, Any]) -> Convert | None:
    core = annotation.core
    whole = core
    for item in annotation.metadata:
        whole = model.annotated(whole, item)
    if needs_pydantic(whole):
        return _raising_value_error(decoder_for(whole).convert)
    if is_native(core, schema):
        return None
    if isinstance(core, type) and issubclass(core, enum.Enum):
        enumeration: Convert = core
        return enumeration
    return _raising_value_error(decoder_for(core).convert)


def is_native(annotation: Any, schema: Mapping[str, Any]) -> bool:
    """Whether the native side makes exactly this type from a value of the schema."""
    peeled = peel(annotation)
    core = peeled.core
    if peeled.is_any:
        return True
    if core in JSON_TYPES:
        # A schema without a type yields the text.
        types = schema.get("type", "string")
        listed = [name for name in types if name != "null"] if isinstance(types, list) else [types]
        return listed == [JSON_TYPES[core]]
    if core in FORMATS:
        return schema.get("format") == FORMATS[core]
    if peeled.origin is Literal:
        return len({type(value) for value in get_args(core)}) == 1 and not isinstance(get_args(core)[0], enum.Enum)
    if is_union(core):
        return all(_is_native_branch(member, schema) for member in get_args(core))
    if peeled.origin is list:
        items = schema.get("items", {})
        return not peeled.arguments or (isinstance(items, Mapping) and is_native(peeled.arguments[0], items))
    if peeled.origin is dict:
        members = schema.get("additionalProperties", {})
        return not peeled.arguments or (
            peeled.arguments[0] is str and isinstance(members, Mapping) and is_native(peeled.arguments[1], members)
        )
    return False


def _is_native_branch(member: Any, schema: Mapping[str, Any]) -> bool:
    core = peel(member).core
    return core in JSON_TYPES or (core in FORMATS and "anyOf" in schema)


def _raising_value_error(convert: Convert) -> Convert:
    """The libraries' own errors as the ValueError that makes a 422."""

    def converted(value: Any) -> Any:
        try:
            return convert(value)
        except Exception as error:
            faults = faults_of(error, ("value",))
            if faults is None:
                raise
            first = faults[0]
            raise ValueError(first.get("ctx", {}).get("error") or first["msg"]) from error

    return converted


def _conditional(convert: Convert | None, conditions: list[Callable[[Any], Any]]) -> Convert:
    def converted(value: Any) -> Any:
        value = value if convert is None else convert(value)
        for condition in conditions:
            if not condition(value):
                name = getattr(condition, "__qualname__", repr(condition))
                raise ValueError(f"the value does not fulfil {name}")
        return value

    return converted


def _lenient(convert: Convert) -> Convert:
    def converted(value: Any) -> Any:
        try:
            return convert(value)
        except (ValueError, TypeError):
            return value

    return converted


__all__ = ["Convert", "conversion", "is_native", "wants_objects"]
