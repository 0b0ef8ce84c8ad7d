"""The values of path, query, headers and cookies that an operation takes."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from spikard.openapi.components import Components
from spikard.openapi.keywords import without_local_time
from spikard.openapi.signature import Signature
from spikard.params import MISSING
from spikard.routing.handler_plan import HandlerPlan, ParameterPlan
from spikard.schema.build import Schema

ORDER = ("path", "query", "header", "cookie")
# What splits one value into several, as the styles have it.
SEPARATORS: Mapping[str, Schema] = {
    ",": {"style": "form", "explode": False},
    "|": {"style": "pipeDelimited", "explode": False},
    " ": {"style": "spaceDelimited", "explode": False},
}


def parameters_of(plan: HandlerPlan, signature: Signature, components: Components, operation: str) -> list[Schema]:
    """The parameter objects of an operation, those of the path first."""
    found: dict[tuple[str, str], Schema] = {}
    for index, parameter in sorted(enumerate(plan.parameters), key=lambda one: ORDER.index(one[1].source)):
        place = (parameter.source, parameter.wire_name)
        if place not in found and _is_shown(parameter, signature):
            default = signature.defaults[index] if index in signature.defaults else _default(parameter, signature)
            found[place] = dict(_members(parameter, default, components, operation))
    return list(found.values())


def _members(
    parameter: ParameterPlan, default: Any, components: Components, operation: str
) -> Iterator[tuple[str, Any]]:
    schema = components.of_schema(parameter.schema, f"{operation}_{parameter.name}")
    yield "name", parameter.wire_name
    yield "in", parameter.source
    yield "required", parameter.required or parameter.source == "path"
    if "description" in schema:
        yield "description", schema.pop("description")
    if schema.pop("deprecated", False):
        yield "deprecated", True
    yield from _style(parameter, schema).items()
    yield "schema", without_local_time({**schema, **_told(default, schema)})


def _style(parameter: ParameterPlan, schema: Schema) -> Schema:
    if parameter.source != "query":
        return {}
    kinds = schema.get("type")
    if kinds == "object" or (isinstance(kinds, list) and "object" in kinds):
        return {"style": "deepObject", "explode": True}
    return dict(SEPARATORS.get(parameter.separator or "", {}))


def _default(parameter: ParameterPlan, signature: Signature) -> Any:
    """The default value; factories make another one for every request, so they are not asked."""
    slot = signature.slots.get(parameter.name)
    return slot.default if parameter.default is MISSING and slot is not None else parameter.default


def _told(default: Any, schema: Schema) -> Schema:
    """The default as JSON; None says only that the parameter is optional, unless it is a value."""
    if default is MISSING or default is msgspec.UNSET or (default is None and "null" not in str(schema.get("type"))):
        return {}
    try:
        return {"default": msgspec.to_builtins(default, str_keys=True)}
    except TypeError:
        return {}


def _is_shown(parameter: ParameterPlan, signature: Signature) -> bool:
    slot = signature.slots.get(parameter.name)
    if slot is None or slot.marker is None or parameter.source == "path":
        return True
    return slot.marker.keywords.get("include_in_schema", True)


__all__ = ["parameters_of"]
