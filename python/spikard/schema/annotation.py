"""Annotations taken apart: the type proper, what is said about it, and whether None is allowed."""

import types
import typing
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import msgspec

NONE_TYPE = type(None)
# Qualifiers of a field that say nothing about the value's type.
QUALIFIERS = frozenset({typing.Required, typing.NotRequired, typing.Final, typing.ClassVar})


@dataclass(frozen=True, slots=True)
class Annotation:
    """What remains of an annotation without Annotated, NewType, type aliases and None."""

    core: Any
    metadata: tuple[Any, ...] = ()
    nullable: bool = False

    @property
    def is_any(self) -> bool:
        """Whether the annotation says nothing about the type."""
        return self.core in (Any, object)

    @property
    def origin(self) -> Any:
        """`list` for `list[int]`; the type itself when it has no arguments."""
        return get_origin(self.core) or self.core

    @property
    def arguments(self) -> tuple[Any, ...]:
        """`(int,)` for `list[int]`."""
        return get_args(self.core)


def peel(annotation: Any) -> Annotation:
    """Take an annotation apart; the innermost metadata comes first."""
    metadata: tuple[Any, ...] = ()
    nullable = False
    while True:
        inner = _unwrapped(annotation)
        if inner is not None:
            annotation, found = inner
            metadata = (*found, *metadata)
            continue
        if not is_union(annotation):
            return Annotation(annotation, metadata, nullable)
        arguments = get_args(annotation)
        members = [member for member in arguments if member not in (NONE_TYPE, None, msgspec.UnsetType)]
        nullable = nullable or NONE_TYPE in arguments
        if len(members) != 1:
            core = Union[tuple(members)] if members else NONE_TYPE  # noqa: UP007 - the members are computed
            return Annotation(core, metadata, nullable)
        annotation = members[0]


def is_union(annotation: Any) -> bool:
    """Whether the annotation is `A | B`, in either spelling."""
    return get_origin(annotation) in (Union, types.UnionType)


def strip_extras(annotation: Any) -> Any:
    """The type as it is used at run time: aliases, NewTypes and the outer Annotated removed, None kept."""
    peeled = peel(annotation)
    return Union[peeled.core, None] if peeled.nullable else peeled.core  # noqa: UP007 - the member is computed


def _unwrapped(annotation: Any) -> tuple[Any, tuple[Any, ...]] | None:
    """The annotation one layer further in, with the metadata of the layer; None at the core."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return annotation.__origin__, annotation.__metadata__
    if origin in QUALIFIERS or _is_read_only(origin):
        return get_args(annotation)[0], ()
    if isinstance(annotation, typing.NewType):
        return annotation.__supertype__, ()
    if isinstance(annotation, TypeVar):
        return _type_variable(annotation), ()
    if _is_alias(annotation):
        return annotation.__value__, ()
    if _is_alias(origin):
        return origin.__value__[get_args(annotation)], ()
    return None


def _is_read_only(origin: Any) -> bool:
    return getattr(origin, "_name", None) == "ReadOnly"


def _is_alias(annotation: Any) -> bool:
    return type(annotation).__name__ == "TypeAliasType" and hasattr(annotation, "__value__")


def _type_variable(variable: TypeVar) -> Any:
    if variable.__bound__ is not None:
        return variable.__bound__
    if variable.__constraints__:
        return Union[variable.__constraints__]  # noqa: UP007 - the members are computed
    return Any


__all__ = ["NONE_TYPE", "Annotation", "is_union", "peel", "strip_extras"]
