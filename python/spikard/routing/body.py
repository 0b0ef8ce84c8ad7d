"""From the parameters that take the body to its plan."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from spikard.errors import RouteError
from spikard.params import MISSING, Body, File, Form
from spikard.routing.best_effort import at_best
from spikard.routing.decoder import PLAIN, Decoder, can_build, decoder_for
from spikard.routing.faults import FieldError, body_faults
from spikard.routing.handler_plan import Argument, BodyKind, BodyPlan
from spikard.routing.integers import delivering_integers
from spikard.routing.ordinary_class import is_ordinary
from spikard.routing.slot import Slot
from spikard.routing.upload import field_of, file_argument, takes_file, unpacking
from spikard.schema import SchemaBuilder, UnsupportedType, model
from spikard.schema.annotation import NONE_TYPE, peel
from spikard.schema.kind import kind_of, needs_pydantic

MULTIPART = ("multipart/form-data",)
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


@dataclass(frozen=True, slots=True)
class BodyDemand:
    """What the route itself says of its body."""

    schema: Mapping[str, Any] | None = None
    files: Mapping[str, Mapping[str, Any]] | None = None
    consumes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedBody:
    """The plan of the body, and what each parameter that takes of it gets."""

    plan: BodyPlan | None
    arguments: Mapping[str, Argument]


def plan_body(slots: list[Slot], demand: BodyDemand, described: str) -> PlannedBody:
    """Plan the body for the parameters that take it; there is no plan when nobody asks for one."""
    files = {field_of(slot, demand.files): slot for slot in slots if takes_file(slot, demand.files)}
    values = [slot for slot in slots if slot not in files.values()]
    arguments: dict[str, Argument] = {
        slot.name: ("file", file_argument(slot, field, described)) for field, slot in files.items()
    }
    demands = {**{field: _file_demands(slot) for field, slot in files.items()}, **(demand.files or {})}
    demand = replace(demand, files=_left_to_schema(demands, demand.schema) or None)
    if not values:
        plan = _unbound(demand, fields=tuple(files))
    elif is_embedded(values):
        plan = _embedded(values, demand, described)
        arguments |= {slot.name: ("body_field", slot.wire_name) for slot in values}
    else:
        plan = _whole(values[0], demand, described)
        arguments[values[0].name] = ("body", None)
    if plan is not None and demand.files:
        plan = replace(plan, apart=_apart(plan.schema, demand.files, bound=set(files), is_embedded=bool(plan.fields)))
    return PlannedBody(plan, arguments)


def is_embedded(slots: list[Slot]) -> bool:
    """Whether the parameters are members of the body rather than the whole of it."""
    if len(slots) > 1:
        return True
    slot = slots[0]
    if isinstance(slot.marker, Form):
        return kind_of(slot.annotation.core) is None and slot.annotation.origin is not dict
    return isinstance(slot.marker, Body) and slot.marker.embed


def _file_demands(slot: Slot) -> dict[str, Any]:
    demands = slot.marker.demands() if isinstance(slot.marker, File) else {}
    return {"required": not slot.is_optional, **demands}


def _left_to_schema(files: dict[str, Any], schema: Mapping[str, Any] | None) -> dict[str, Any]:
    """The demands, without that a file must be there where the explicit schema says so itself."""
    named = (schema or {}).get("properties", {})
    return {
        field: {name: value for name, value in demands.items() if name != "required"} if field in named else demands
        for field, demands in files.items()
    }


def _apart(
    schema: Mapping[str, Any] | None, files: Mapping[str, Any], *, bound: set[str], is_embedded: bool
) -> tuple[str, ...]:
    """The files that the schema of the fields is not to see: not named there, and refused by it or taken elsewhere."""
    schema = schema or {}
    closed = schema.get("additionalProperties") is False or is_embedded
    return tuple(field for field in files if field not in schema.get("properties", {}) and (closed or field in bound))


def _unbound(demand: BodyDemand, fields: tuple[str, ...] = ()) -> BodyPlan | None:
    """A body that is checked and given to nobody, or of which only the files are."""
    if demand.schema is None and not demand.files:
        return None
    schema = dict(demand.schema) if demand.schema is not None else None
    files = demand.files or {}
    required = bool(schema and schema.get("required")) or any(entry.get("required") for entry in files.values())
    return BodyPlan(
        kind="multipart" if files else "json",
        media_types=_media_types(demand, None, MULTIPART if files else ()),
        schema=schema,
        decode=PLAIN.decode,
        convert=PLAIN.convert,
        errors=body_faults,
        required=required,
        default=MISSING,
        default_factory=None,
        fields=fields,
        name=fields[0] if len(fields) == 1 else "",
        files=files,
    )


def _whole(slot: Slot, demand: BodyDemand, described: str) -> BodyPlan:
    marker = slot.marker
    kind = _kind(slot, demand)
    explicit = dict(demand.schema) if demand.schema is not None else None
    schema: dict[str, Any] | None = None
    if kind == "bytes":
        decoder = Decoder(bytes, bytes)
    elif kind == "text":
        decoder, schema = Decoder(_text, str), _schema(slot, described)
    else:
        decoder = _decoder(slot, demand, described)
        schema = explicit if explicit is not None else _schema(slot, described)
        if explicit is not None:
            decoder = at_best(decoder, slot.declared)
        if decoder is PLAIN:
            decoder = Decoder(delivering_integers(decoder.decode, schema), decoder.convert)
    if isinstance(marker, Body) and marker.coerce:
        # Only that it is JSON is checked before the model sees it.
        schema = {}
    return BodyPlan(
        kind=kind,
        media_types=_media_types(demand, marker, _usual_types(slot, demand)),
        schema=schema,
        decode=decoder.decode,
        convert=unpacking(decoder.convert, slot.declared, at_best=explicit is not None),
        errors=body_faults,
        required=not slot.is_optional,
        default=slot.default,
        default_factory=slot.default_factory,
        fields=(),
        name=slot.name,
        files=demand.files or {},
    )


def _usual_types(slot: Slot, demand: BodyDemand) -> tuple[str, ...]:
    if demand.files:
        return MULTIPART
    return FORMS if isinstance(slot.marker, Form) else ()


def _kind(slot: Slot, demand: BodyDemand) -> BodyKind:
    core = slot.annotation.core
    if core in (bytes, bytearray, memoryview):
        return "bytes"
    media_type = slot.marker.media_type if isinstance(slot.marker, Body) else None
    is_text = core is str and not needs_pydantic(slot.declared) and demand.schema is None
    if is_text and (media_type or "text/").startswith("text/"):
        return "text"
    if demand.files:
        return "multipart"
    return "form" if isinstance(slot.marker, Form) else "json"


def _media_types(demand: BodyDemand, marker: Any, usual: tuple[str, ...]) -> tuple[str, ...]:
    if demand.consumes:
        return demand.consumes
    if isinstance(marker, Body) and marker.media_type is not None:
        return (marker.media_type,)
    return usual


def _text(data: bytes) -> str:
    return data.decode()


def _schema(slot: Slot, described: str) -> dict[str, Any]:
    try:
        return SchemaBuilder().root(_with_metadata(slot))
    except (UnsupportedType, NameError) as fault:
        raise RouteError(_unbuildable(slot, described, fault)) from fault


def _with_metadata(slot: Slot) -> Any:
    """The annotation as declared, with a marker that is the default counted in."""
    declared = slot.declared
    if slot.marker is not None and slot.marker not in peel(declared).metadata:
        declared = model.annotated(declared, slot.marker)
    return declared


def _decoder(slot: Slot, demand: BodyDemand, described: str) -> Decoder:
    core = slot.annotation.core
    # Ordinary classes say nothing of what is sound, so another has to.
    unjudged = demand.schema is None or not is_ordinary(core)
    try:
        if isinstance(core, type) and core is not NONE_TYPE and unjudged and _is_foreign(core):
            raise TypeError(f"{core.__qualname__} has no known fields")
        return decoder_for(slot.declared)
    except Exception as fault:  # pydantic's errors have no common base outside it
        raise RouteError(_unbuildable(slot, described, fault)) from fault


def _is_foreign(core: type) -> bool:
    """Whether msgspec would leave the class to its hook, and the hook doesn't know it either."""
    info = msgspec.inspect.type_info(core) if not can_build(core) else None
    return isinstance(info, msgspec.inspect.CustomType)


def _unbuildable(slot: Slot, described: str, fault: Exception | str) -> str:
    return (
        f"{described}: parameter {slot.name!r}: no body can become {slot.declared!r} ({fault}); annotate it with a "
        "Struct, a model, a dataclass, a TypedDict, builtin types, or bytes for the raw body"
    )


def _embedded(slots: list[Slot], demand: BodyDemand, described: str) -> BodyPlan:
    files = demand.files or {}
    kind: BodyKind = (
        "multipart" if files else "form" if any(isinstance(slot.marker, Form) for slot in slots) else "json"
    )
    schema = dict(demand.schema) if demand.schema is not None else _embedded_schema(slots, described)
    members = [_Member(slot.wire_name, _member_decoder(slot, demand, described), slot) for slot in slots]
    defaults = _Defaults(slots)
    usual = {"json": (), "form": FORMS, "multipart": MULTIPART}[kind]
    return BodyPlan(
        kind=kind,
        media_types=_media_types(demand, None, usual),
        schema=schema,
        decode=_Embedded(members, defaults).decode,
        convert=_Embedded(members, defaults).convert,
        errors=body_faults,
        required=any(not slot.is_optional for slot in slots) or any(entry.get("required") for entry in files.values()),
        default=MISSING,
        default_factory=defaults,
        fields=(*(slot.wire_name for slot in slots), *files),
        name=slots[0].name if len(slots) == 1 and not files else "body",
        files=files,
    )


def _member_decoder(slot: Slot, demand: BodyDemand, described: str) -> Decoder:
    if slot.annotation.core is bytes:
        return Decoder(bytes, bytes)
    decoder = _decoder(slot, demand, described)
    return decoder if demand.schema is None else at_best(decoder, slot.declared)


def _embedded_schema(slots: list[Slot], described: str) -> dict[str, Any]:
    builder = SchemaBuilder()
    properties = {}
    for slot in slots:
        try:
            properties[slot.wire_name] = builder.build(_with_metadata(slot))
        except (UnsupportedType, NameError) as fault:
            raise RouteError(_unbuildable(slot, described, fault)) from fault
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    required = [slot.wire_name for slot in slots if not slot.is_optional]
    if required:
        schema["required"] = required
    return {**schema, "$defs": dict(builder.definitions)} if builder.definitions else schema


@dataclass(frozen=True, slots=True)
class _Member:
    name: str
    decoder: Decoder
    slot: Slot


class _Defaults:
    """What stands for absent members: a dict of all of them."""

    __slots__ = ("_slots",)

    def __init__(self, slots: list[Slot]) -> None:
        self._slots = slots

    def __call__(self) -> dict[str, Any]:
        return {slot.wire_name: _default_of(slot) for slot in self._slots}


def _default_of(slot: Slot) -> Any:
    if slot.default_factory is not None:
        return slot.default_factory()
    return None if slot.default is MISSING else slot.default


class _Embedded:
    """Builds the members of a body, each with its own decoder."""

    __slots__ = ("_defaults", "_members")

    def __init__(self, members: list[_Member], defaults: _Defaults) -> None:
        self._members = members
        self._defaults = defaults

    def decode(self, data: bytes) -> dict[str, Any]:
        return self._built(_members(data), lambda decoder: lambda raw: decoder.decode(bytes(raw)))

    def convert(self, tree: Mapping[str, Any]) -> dict[str, Any]:
        return self._built(tree, lambda decoder: decoder.convert)

    def _built(self, given: Mapping[str, Any], way: Callable[[Decoder], Callable[[Any], Any]]) -> dict[str, Any]:
        # Whatever has no member here is dropped by the arguments.
        known = {member.name for member in self._members}
        built = {name: value for name, value in given.items() if name not in known}
        for member in self._members:
            if member.name in given:
                try:
                    built[member.name] = way(member.decoder)(given[member.name])
                except Exception as error:
                    raise FieldError(member.name, error) from error
        return {**self._defaults(), **built}


__all__ = ["BodyDemand", "PlannedBody", "is_embedded", "plan_body"]
