"""Bodies that an explicit schema has let through, and that their annotation cannot hold.

The schema is the judge then: an instance is made with the values as they came, or the plain values are delivered.
"""

from collections.abc import Callable, Mapping
from typing import Any, get_args

from spikard.exceptions import ErrorType
from spikard.routing.decoder import PLAIN, Decoder, decoder_for
from spikard.routing.faults import body_faults
from spikard.schema.annotation import is_union, peel
from spikard.schema.field import fields_of
from spikard.schema.kind import Kind, kind_of

# What the developer's own validators say is no matter of types.
REFUSALS = frozenset({ErrorType.VALUE_ERROR, ErrorType.ASSERTION_ERROR})


def at_best(decoder: Decoder, annotation: Any) -> Decoder:
    """The decoder, delivering what it cannot build as well as may be."""
    if decoder is PLAIN:
        return decoder

    def decode(data: bytes) -> Any:
        return _tolerant(decoder.decode, data, lambda: PLAIN.decode(data), annotation)

    def convert(tree: Any) -> Any:
        return _tolerant(decoder.convert, tree, lambda: tree, annotation)

    return Decoder(decode, convert)


def _tolerant(build: Callable[[Any], Any], source: Any, plain: Callable[[], Any], annotation: Any) -> Any:
    try:
        return build(source)
    except Exception as error:
        if _is_refusal(error):
            raise
        return _loose(annotation, plain())


def _is_refusal(error: Exception) -> bool:
    """Whether the error stands: a validator has spoken, or the code is wrong."""
    faults = body_faults(error)
    return faults is None or any(fault["type"] in REFUSALS for fault in faults)


def _built(annotation: Any, value: Any) -> Any:
    try:
        return decoder_for(annotation).convert(value)
    except Exception as error:
        if _is_refusal(error):
            raise
        return _loose(annotation, value)


def _loose(annotation: Any, value: Any) -> Any:
    """An instance that holds what came, unchecked; the value itself where there is none."""
    peeled = peel(annotation)
    if is_union(peeled.core):
        members = [member for member in get_args(peeled.core) if _takes(member, value)]
        return _loose(members[0], value) if members else value
    if isinstance(value, list) and peeled.origin is list and peeled.arguments:
        return [_built(peeled.arguments[0], item) for item in value]
    if isinstance(value, Mapping) and kind_of(peeled.core) is not None:
        return _instance(peeled.core, value)
    return value


def _takes(annotation: Any, value: Any) -> bool:
    peeled = peel(annotation)
    return kind_of(peeled.core) is not None if isinstance(value, Mapping) else peeled.origin is type(value)


def _instance(annotation: Any, value: Mapping[str, Any]) -> Any:
    kind, fields = kind_of(annotation), fields_of(annotation)
    if kind is Kind.TYPED_DICT or not any(field.wire_name in value for field in fields):
        return value
    by_name = {
        field.constructor_name: _built(field.annotation, value[field.wire_name]) if field.wire_name in value else None
        for field in fields
        if field.wire_name in value or field.required
    }
    make = getattr(annotation, "model_construct", None) if kind is Kind.PYDANTIC else annotation
    if make is None:
        return value
    try:
        return make(**by_name)
    except TypeError:
        # Its constructor looks into the values.
        return value


__all__ = ["at_best"]
