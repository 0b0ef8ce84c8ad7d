"""Stand-ins for NamedTuples: msgspec reads those from arrays, a body has them as objects."""

import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Union, get_args

import msgspec

from spikard.schema.annotation import is_union, peel
from spikard.schema.field import Field, fields_of
from spikard.schema.kind import Kind, kind_of

Rebuild = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Twin:
    """A type msgspec can fill from objects, and the way from its instances to the real ones."""

    annotation: Any
    rebuild: Rebuild


def holds_named_tuple(annotation: Any, _seen: frozenset[Any] = frozenset()) -> bool:
    """Whether a NamedTuple is the type or somewhere inside it."""
    core = peel(annotation).core
    kind = kind_of(core)
    if kind is Kind.NAMED_TUPLE:
        return True
    if kind is Kind.PYDANTIC or (kind is not None and core in _seen):
        return False
    if kind is not None:
        seen = _seen | {core}
        return any(holds_named_tuple(field.annotation, seen) for field in fields_of(core))
    if typing.get_origin(core) is typing.Literal:
        return False
    return any(holds_named_tuple(argument, _seen) for argument in get_args(core) if argument is not Ellipsis)


def twin_of(annotation: Any) -> Twin:
    """The stand-in for a type that holds NamedTuples; TypeError for one that holds itself."""
    return _twin(annotation, ())


def _twin(annotation: Any, outer: tuple[Any, ...]) -> Twin:
    if not holds_named_tuple(annotation):
        return Twin(annotation, _same)
    peeled = peel(annotation)
    twin = _core_twin(peeled.core, outer)
    if not peeled.nullable:
        return twin
    return Twin(Union[twin.annotation, None], _unless_none(twin.rebuild))  # noqa: UP007 - the member is computed


def _core_twin(core: Any, outer: tuple[Any, ...]) -> Twin:
    if kind_of(core) is not None:
        return _object_twin(core, outer)
    arguments = get_args(core)
    if is_union(core):
        return _union_twin(arguments, outer)
    origin = typing.get_origin(core)
    if origin is tuple and arguments[-1] is not Ellipsis:
        members = [_twin(argument, outer) for argument in arguments]
        rebuilds = [member.rebuild for member in members]
        return Twin(
            tuple.__class_getitem__(tuple(member.annotation for member in members)),
            lambda value: tuple(rebuild(item) for rebuild, item in zip(rebuilds, value, strict=True)),
        )
    if len(arguments) == 2 and arguments[1] is not Ellipsis:
        member = _twin(arguments[1], outer)
        rebuild_value = member.rebuild
        return Twin(
            dict.__class_getitem__((arguments[0], member.annotation)),
            lambda value: {key: rebuild_value(item) for key, item in value.items()},
        )
    member = _twin(arguments[0], outer)
    rebuild_item = member.rebuild
    make = origin if origin in (set, frozenset, tuple) else list
    return Twin(
        list.__class_getitem__(member.annotation),
        lambda value: make(rebuild_item(item) for item in value),
    )


def _union_twin(arguments: tuple[Any, ...], outer: tuple[Any, ...]) -> Twin:
    members = [_twin(argument, outer) for argument in arguments]
    structs = {member.annotation: member.rebuild for member in members if member.rebuild is not _same}

    def rebuild(value: Any) -> Any:
        return structs.get(type(value), _same)(value)

    return Twin(Union.__getitem__(tuple(member.annotation for member in members)), rebuild)


def _object_twin(core: Any, outer: tuple[Any, ...]) -> Twin:
    if core in outer:
        raise TypeError(f"{core!r} holds itself beside a NamedTuple; make it a dataclass or a msgspec.Struct")
    fields = fields_of(core)
    members = [_twin(field.annotation, (*outer, core)) for field in fields]
    cls = typing.get_origin(core) or core
    struct = msgspec.defstruct(
        cls.__name__,
        [
            _struct_field(index, field, member)
            for index, (field, member) in enumerate(zip(fields, members, strict=True))
        ],
        rename=dict(_names(fields)),
        kw_only=True,
    )
    names = [
        (f"f{index}", field.constructor_name, member.rebuild)
        for index, (field, member) in enumerate(zip(fields, members, strict=True))
    ]

    def rebuild(value: Any) -> Any:
        given = ((name, getattr(value, attribute), restore) for attribute, name, restore in names)
        return cls(**{name: restore(item) for name, item, restore in given if item is not msgspec.UNSET})

    return Twin(struct, rebuild)


def _names(fields: list[Field]) -> list[tuple[str, str]]:
    # Neutral names: a wire name need not be an identifier.
    return [(f"f{index}", field.wire_name) for index, field in enumerate(fields)]


def _struct_field(index: int, field: Field, member: Twin) -> Any:
    if field.required:
        return (f"f{index}", member.annotation)
    return (f"f{index}", Union[member.annotation, msgspec.UnsetType], msgspec.UNSET)  # noqa: UP007 - computed


def _same(value: Any) -> Any:
    return value


def _unless_none(rebuild: Rebuild) -> Rebuild:
    return lambda value: None if value is None else rebuild(value)


__all__ = ["Twin", "holds_named_tuple", "twin_of"]
