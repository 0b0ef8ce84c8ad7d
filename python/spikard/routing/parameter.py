"""From a parameter of a handler to its plan."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from spikard.errors import RouteError
from spikard.params import MISSING, Header, Query
from spikard.routing.converters import CONVERTERS
from spikard.routing.declared import DeclaredParameter, wire_name_of
from spikard.routing.delivery import FORMATS, conversion, wants_objects
from spikard.routing.handler_plan import ParameterPlan, Source
from spikard.routing.slot import Slot
from spikard.schema import SchemaBuilder, UnsupportedType, model
from spikard.schema.annotation import Annotation

# What these carry is never repeated in an error.
SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})
MUTABLE = (list, dict, set, bytearray)


def plan_parameter(
    slot: Slot,
    source: Source,
    described: str,
    *,
    wire_name: str | None = None,
    converter: str | None = None,
    declared: DeclaredParameter | None = None,
) -> ParameterPlan:
    """The plan of one parameter.

    `converter` is that of the path pattern, `declared` the entry of an explicit parameter schema, which
    replaces what the annotation says of the value.
    """
    derived = dict(declared.schema) if declared is not None else _derived(slot, described)
    schema = {**_implied(slot.annotation, converter, declared), **derived}
    typed = _is_typed(slot.annotation, converter, declared, schema)
    if typed:
        schema = _with_plain_seconds(schema)
    try:
        convert = conversion(slot.annotation, schema, lenient=declared is not None)
    except (TypeError, UnsupportedType, NameError) as fault:
        raise RouteError(_unfillable(slot, described, fault)) from fault
    except Exception as fault:  # pydantic's errors have no common base outside it
        raise RouteError(_unfillable(slot, described, fault)) from fault
    name = wire_name or (declared.wire_name if declared is not None else _wire_name(slot, source))
    default, factory = _default(slot, schema)
    return ParameterPlan(
        name=slot.name,
        wire_name=name,
        source=source,
        required=_is_required(slot, source, declared, has_default=default is not MISSING or factory is not None),
        schema=schema,
        separator=_separator(slot, declared),
        typed=typed,
        convert=convert,
        secret=_is_secret(slot, source, name, schema),
        default=default,
        default_factory=factory,
    )


def _derived(slot: Slot, described: str) -> dict[str, Any]:
    core = slot.annotation.core
    for item in slot.annotation.metadata:
        core = model.annotated(core, item)
    try:
        return SchemaBuilder(as_text=True).root(core)
    except (UnsupportedType, NameError) as fault:
        raise RouteError(_unfillable(slot, described, fault)) from fault


def _with_plain_seconds(schema: Any) -> Any:
    """A timedelta may also be given as a number of seconds; the validator's own keyword says so."""
    if isinstance(schema, Mapping):
        inner = {key: _with_plain_seconds(value) for key, value in schema.items()}
        return {**inner, "plainSeconds": True} if schema.get("format") == "duration" else inner
    if isinstance(schema, list):
        return [_with_plain_seconds(value) for value in schema]
    return schema


def _unfillable(slot: Slot, described: str, fault: Exception) -> str:
    return (
        f"{described}: parameter {slot.name!r}: nothing can fill {slot.declared!r} ({fault}); annotate it with a type "
        "that text can become, take it from the body, or register a provider for it"
    )


def _implied(annotation: Annotation, converter: str | None, declared: DeclaredParameter | None) -> Mapping[str, Any]:
    """What holds before the annotation or the explicit schema says otherwise."""
    if converter not in (None, "str"):
        return CONVERTERS[converter]
    if declared is not None or not annotation.is_any:
        return {}
    return {"type": "string"}


def _is_typed(
    annotation: Annotation, converter: str | None, declared: DeclaredParameter | None, schema: Mapping[str, Any]
) -> bool:
    if annotation.is_any:
        return (
            converter is not None
            and declared is None
            and CONVERTERS[converter].get("format") == schema.get("format") in FORMATS.values()
        )
    return wants_objects(annotation.core)


def _wire_name(slot: Slot, source: Source) -> str:
    marker = slot.marker
    converts = marker.convert_underscores if isinstance(marker, Header) else True
    alias = marker.alias if marker is not None else None
    return wire_name_of(source, alias, slot.name, convert_underscores=converts)


def _is_required(slot: Slot, source: Source, declared: DeclaredParameter | None, *, has_default: bool) -> bool:
    if source == "path":
        return True
    if declared is not None:
        return declared.required
    return not (slot.is_optional or has_default)


def _default(slot: Slot, schema: Mapping[str, Any]) -> tuple[Any, Callable[[], Any] | None]:
    default = slot.default
    if slot.default_factory is not None:
        return MISSING, slot.default_factory
    if default in (MISSING, None) and "default" in schema:
        default = _native_default(slot.annotation, schema["default"])
    if isinstance(default, MUTABLE):
        # One request must not see what another has put into the default.
        return MISSING, _copying(default)
    return default, None


def _copying(value: Any) -> Callable[[], Any]:
    return lambda: copy.deepcopy(value)


def _native_default(annotation: Annotation, default: Any) -> Any:
    """A default written as JSON, as the annotation wants it."""
    if default is None or annotation.is_any:
        return default
    try:
        convert = conversion(replace(annotation, metadata=()), {"type": "unknown"}, lenient=True)
    except Exception:  # noqa: BLE001 - the annotation has been refused, or will be, with a message of its own
        return default
    return default if convert is None else convert(default)


def _separator(slot: Slot, declared: DeclaredParameter | None) -> str | None:
    if declared is not None and declared.separator is not None:
        return declared.separator
    return slot.marker.separator if isinstance(slot.marker, Query) else None


def _is_secret(slot: Slot, source: Source, name: str, schema: Mapping[str, Any]) -> bool:
    return (
        (slot.marker is not None and slot.marker.is_secret)
        or schema.get("format") == "password"
        or (source == "header" and name in SECRET_HEADERS)
    )


__all__ = ["plan_parameter"]
