"""Structured types whose fields are parameters of their own."""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from spikard.errors import RouteError, ValidationException
from spikard.params import MISSING
from spikard.routing.faults import faults_of, is_pydantic_error
from spikard.routing.handler_plan import Source
from spikard.routing.slot import Slot
from spikard.schema.annotation import peel
from spikard.schema.field import fields_of
from spikard.schema.kind import Kind, kind_of

# The first part of a fault's place, by source.
PLACES = {"path": "path", "query": "query", "header": "headers", "cookie": "cookie"}


@dataclass(frozen=True, slots=True)
class ModelField:
    """A field as a parameter."""

    slot: Slot
    wire_name: str


def model_slots(slot: Slot, described: str) -> Iterator[tuple[str, ModelField]]:
    """The constructor's names of the fields, with the fields as parameters."""
    try:
        fields = fields_of(slot.annotation.core)
    except NameError as fault:
        raise RouteError(
            f"{described}: parameter {slot.name!r}: the fields of {slot.declared!r} cannot be resolved ({fault}); "
            "import the name at module level of the class"
        ) from None
    for field in fields:
        # Defaults stay with the constructor: an absent field isn't passed. A None only marks it optional.
        default = MISSING if field.required else None
        yield (
            field.constructor_name,
            ModelField(Slot(field.name, peel(field.annotation), field.annotation, default=default), field.wire_name),
        )


def constructor_of(slot: Slot, source: Source) -> Callable[..., Any]:
    """What builds the model from the fields that are present."""
    core = slot.annotation.core
    absent = {
        field.constructor_name: None for field in fields_of(core) if field.required and peel(field.annotation).nullable
    }
    if kind_of(core) is Kind.PYDANTIC:
        core = _validating(core, PLACES[source])
    return functools.partial(core, **absent) if absent else core


def forbids_extra(core: Any) -> bool:
    """Whether the model refuses fields it doesn't know."""
    kind = kind_of(core)
    if kind is Kind.STRUCT:
        return bool((getattr(core, "__origin__", None) or core).__struct_config__.forbid_unknown_fields)
    return kind is Kind.PYDANTIC and getattr(core, "model_config", {}).get("extra") == "forbid"


def _validating(core: Any, place: str) -> Callable[..., Any]:
    """A pydantic model whose own checks answer 422."""

    def construct(**fields: Any) -> Any:
        try:
            return core(**fields)
        except Exception as error:
            faults = faults_of(error, (place,)) if is_pydantic_error(error) else None
            if faults is None:
                raise
            raise ValidationException(faults) from None

    return construct


__all__ = ["ModelField", "constructor_of", "forbids_extra", "model_slots"]
