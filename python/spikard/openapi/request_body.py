"""What an operation takes as its body."""

from collections.abc import Mapping
from typing import Any

from spikard.openapi.components import Components
from spikard.openapi.signature import Signature
from spikard.params import MISSING, Marker
from spikard.routing.handler_plan import BodyPlan
from spikard.routing.route import Route
from spikard.routing.slot import Slot
from spikard.schema import model
from spikard.schema.annotation import peel
from spikard.schema.build import Schema

MULTIPART = "multipart/form-data"
URLENCODED = "application/x-www-form-urlencoded"
OCTETS = "application/octet-stream"
# What a body of a kind is sent as where the route does not say.
USUAL: Mapping[str, tuple[str, ...]] = {
    "json": ("application/json", URLENCODED, MULTIPART, "application/msgpack"),
    "bytes": (OCTETS,),
    "text": ("text/plain", "application/json"),
    "form": (URLENCODED, MULTIPART),
    "multipart": (MULTIPART,),
}
BINARY: Schema = {"type": "string", "format": "binary"}


def request_body_of(
    route: Route, plan: BodyPlan, signature: Signature, components: Components, operation: str
) -> Schema:
    """The request body object of an operation."""
    slots = signature.body_slots()
    schema = _schema(route, plan, slots, components, operation)
    content: dict[str, Schema] = {}
    usual = USUAL.get(plan.kind, USUAL["json"])
    if plan.kind == "json" and not _is_object(schema, components):
        # A form is always an object.
        usual = tuple(one for one in usual if one not in (URLENCODED, MULTIPART))
    for media_type in plan.media_types or usual:
        content[media_type] = {"schema": schema}
        if media_type == MULTIPART and (encoding := _encoding(plan)):
            content[media_type]["encoding"] = encoding
    described: Schema = {"content": content, "required": plan.required}
    description = _description(slots)
    return {"description": description, **described} if description else described


def _is_object(schema: Schema, components: Components) -> bool:
    described = components.resolved(schema)
    return "properties" in described or described.get("type") == "object"


def _schema(route: Route, plan: BodyPlan, slots: list[Slot], components: Components, operation: str) -> Schema:
    if plan.kind == "bytes":
        return dict(BINARY)
    schema = _values(route, plan, slots, components, operation)
    if not plan.files:
        return schema
    files = {name: _file(name, demand, slots) for name, demand in plan.files.items()}
    required = [name for name, demand in plan.files.items() if demand.get("required")]
    if schema and "properties" not in schema:
        return {"allOf": [schema, _object(files, required)]}
    return {
        **schema,
        **_object({**schema.get("properties", {}), **files}, [*schema.get("required", ()), *required]),
    }


def _values(route: Route, plan: BodyPlan, slots: list[Slot], components: Components, operation: str) -> Schema:
    """What is sent besides files."""
    if route.options.body_schema is not None:
        return components.of_schema(route.options.body_schema, f"{operation}_body")
    values = [slot for slot in slots if slot.wire_name not in plan.files]
    if not values:
        return {}
    if not plan.fields:
        return components.of_type(_declared(values[0]))
    properties = {slot.wire_name: _member(slot, components) for slot in values}
    return _object(properties, [slot.wire_name for slot in values if not slot.is_optional])


def _object(properties: Schema, required: list[str]) -> Schema:
    schema: Schema = {"type": "object", "properties": properties}
    return {**schema, "required": list(dict.fromkeys(required))} if required else schema


def _member(slot: Slot, components: Components) -> Schema:
    schema = components.of_type(_declared(slot))
    if slot.default is MISSING or slot.default is None:
        return schema
    return {**schema, "default": slot.default}


def _declared(slot: Slot) -> Any:
    """The annotation, with a marker that is the default counted in."""
    marker = slot.marker
    if marker is None or any(item is marker for item in peel(slot.declared).metadata):
        return slot.declared
    return model.annotated(slot.declared, marker)


def _file(name: str, demand: Mapping[str, Any], slots: list[Slot]) -> Schema:
    schema = dict(BINARY)
    slot = next((one for one in slots if one.wire_name == name), None)
    if slot is not None and slot.annotation.origin is list:
        schema = {"type": "array", "items": schema}
    limit = demand.get("max_size")
    told = f"At most {limit} bytes." if limit is not None else ""
    marker = slot.marker if slot is not None else None
    said = marker.keywords.get("description") if isinstance(marker, Marker) else None
    description = " ".join(filter(None, [said, told]))
    return {**schema, "description": description} if description else schema


def _encoding(plan: BodyPlan) -> Schema:
    return {
        name: {"contentType": ", ".join(_listed(demand["content_type"]))}
        for name, demand in plan.files.items()
        if demand.get("content_type")
    }


def _listed(types: Any) -> list[str]:
    return [types] if isinstance(types, str) else list(types)


def _description(slots: list[Slot]) -> str | None:
    if len(slots) != 1 or slots[0].marker is None:
        return None
    return slots[0].marker.keywords.get("description")


__all__ = ["BINARY", "OCTETS", "request_body_of"]
