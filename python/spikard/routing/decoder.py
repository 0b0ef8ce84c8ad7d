"""From bytes, or a tree of plain values, to an instance of a handler's annotation."""

import enum
import ipaddress
import pathlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

import msgspec

from spikard.datastructures import UploadFile
from spikard.routing.faults import faults_of
from spikard.routing.ordinary_class import instance_of, is_ordinary
from spikard.routing.twin import holds_named_tuple, twin_of
from spikard.schema import custom, model
from spikard.schema.annotation import Annotation, is_union, peel, strip_extras
from spikard.schema.kind import is_pydantic_class, kind_of, needs_pydantic

# Built from text by calling them.
FROM_TEXT = (pathlib.PurePath, ipaddress.IPv4Address, ipaddress.IPv6Address)

_plain_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Decoder:
    """Two ways to an instance of one type."""

    decode: Callable[[bytes], Any]
    convert: Callable[[Any], Any]


PLAIN = Decoder(_plain_decode, lambda value: value)


def decoder_for(annotation: Any) -> Decoder:
    """The decoder of a type; TypeError when nothing can build it, NameError when it names what isn't there."""
    peeled = peel(annotation)
    if is_plain(peeled):
        return PLAIN
    if needs_pydantic(annotation):
        return _pydantic_decoder(annotation)
    if holds_named_tuple(annotation):
        return _twin_decoder(annotation)
    try:
        decode = msgspec_decode(annotation)
    except TypeError:
        # msgspec has no unions of untagged types with fields.
        if not is_union(peeled.core):
            raise
        return _union_decoder(annotation)
    return Decoder(decode, _converter(annotation))


def msgspec_decode(annotation: Any) -> Callable[[bytes], Any]:
    """msgspec's way from JSON to the type.

    It is asked to be lax: only so does it take `1.0` for an int. The schema, checked before, refuses all else
    that it would let pass.
    """
    return msgspec.json.Decoder(annotation, strict=_has_literal_union(annotation), dec_hook=build_other).decode


def _has_literal_union(annotation: Any) -> bool:
    """Whether a union offers text beside other types by value, as in `int | Literal["5"]`: a lax "5" might be 5."""
    core = peel(annotation).core
    members = get_args(core)
    if is_union(core) and any(_is_by_value(peel(member).origin) for member in members):
        return True
    return get_origin(core) is not Literal and any(
        _has_literal_union(member) for member in members if member is not Ellipsis
    )


def _is_by_value(origin: Any) -> bool:
    return origin is Literal or (isinstance(origin, type) and issubclass(origin, enum.Enum))


def is_plain(peeled: Annotation) -> bool:
    """Whether any JSON value, or any object, is as good as another: Any, dict, dict[str, Any], list."""
    if peeled.is_any or peeled.core in (dict, list):
        return True
    return peeled.origin is dict and peeled.arguments in ((str, Any), (str, object))


def build_other(cls: Any, value: Any) -> Any:
    """msgspec's hook for types it does not know."""
    origin = getattr(cls, "__origin__", None) or cls
    if origin is UploadFile:
        if isinstance(value, UploadFile):
            return value
        raise ValueError("a file is expected here")
    if isinstance(origin, type):
        if is_pydantic_class(origin):
            return model.adapter(cls).validate_python(value)
        if issubclass(origin, FROM_TEXT):
            return origin(value)
        if issubclass(origin, re.Pattern):
            return re.compile(value)
    built = custom.decoded(cls, value)
    if built is not NotImplemented:
        return built
    if is_ordinary(cls):
        return instance_of(cls, value, lambda annotation, member: decoder_for(annotation).convert(member))
    raise NotImplementedError(f"no decoder builds {cls!r}")


def can_build(cls: Any) -> bool:
    """Whether the hook, or a library's own code, builds the class."""
    origin = getattr(cls, "__origin__", None) or cls
    if kind_of(cls) is not None or custom.any_registered():
        return True
    return isinstance(origin, type) and issubclass(origin, (*FROM_TEXT, re.Pattern, UploadFile))


def _converter(annotation: Any) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        return msgspec.convert(value, annotation, strict=False, dec_hook=build_other)

    return convert


def _pydantic_decoder(annotation: Any) -> Decoder:
    adapter = model.adapter(annotation)
    # The validator itself saves a layer of Python; a model with open references has none yet.
    adapter.rebuild(raise_errors=True)
    validator = adapter.validator
    return Decoder(validator.validate_json, validator.validate_python)


def _union_decoder(annotation: Any) -> Decoder:
    """The first member of the union that can be built."""
    members = [decoder_for(member) for member in get_args(strip_extras(annotation))]
    return Decoder(
        _first_of([member.decode for member in members]),
        _first_of([member.convert for member in members]),
    )


def _first_of(ways: list[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    def build(value: Any) -> Any:
        refusal: Exception | None = None
        for way in ways:
            try:
                return way(value)
            except Exception as error:
                if faults_of(error, ("value",)) is None:
                    raise
                refusal = refusal or error
        raise refusal or TypeError("a union without members")

    return build


def _twin_decoder(annotation: Any) -> Decoder:
    twin = twin_of(annotation)
    decode_twin = msgspec_decode(twin.annotation)
    convert_twin = _converter(twin.annotation)

    def decode(data: bytes) -> Any:
        return twin.rebuild(decode_twin(data))

    def convert(value: Any) -> Any:
        return twin.rebuild(convert_twin(value))

    return Decoder(decode, convert)


__all__ = ["PLAIN", "Decoder", "build_other", "can_build", "decoder_for", "is_plain"]
