"""The fields of structured types, one form for all families."""

import dataclasses
import inspect
import sys
import typing
from collections.abc import Callable, Iterator
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from spikard.params.missing import MISSING
from spikard.schema.kind import Kind, kind_of


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """A field: its name in Python, for the constructor, and on the wire."""

    name: str
    wire_name: str
    annotation: Any
    required: bool
    default: Any = MISSING
    default_factory: Callable[[], Any] | None = None
    constructor_name: str = ""


def fields_of(annotation: Any) -> list[Field]:
    """The fields of a structured type in order of declaration.

    NameError when an annotation written as text cannot be resolved.
    """
    kind = kind_of(annotation)
    if kind is None:
        raise TypeError(f"{annotation!r} has no named fields")
    readers: dict[Kind, Callable[[Any], Iterator[Field]]] = {
        Kind.STRUCT: _struct_fields,
        Kind.PYDANTIC: _pydantic_fields,
        Kind.TYPED_DICT: _typed_dict_fields,
        Kind.NAMED_TUPLE: _named_tuple_fields,
        Kind.ATTRS: _attrs_fields,
        Kind.DATACLASS: _dataclass_fields,
    }
    return [
        field if field.constructor_name else dataclasses.replace(field, constructor_name=field.name)
        for field in readers[kind](annotation)
    ]


def _struct_fields(annotation: Any) -> Iterator[Field]:
    for field in msgspec.structs.fields(annotation):
        yield Field(
            field.name,
            field.encode_name,
            field.type,
            field.required,
            MISSING if field.default is msgspec.NODEFAULT else field.default,
            None if field.default_factory is msgspec.NODEFAULT else field.default_factory,
        )


def _pydantic_fields(annotation: Any) -> Iterator[Field]:
    cls = get_origin(annotation) or annotation
    by_name = bool(getattr(cls, "model_config", {}).get("populate_by_name"))
    for name, info in cls.__pydantic_fields__.items():
        alias = info.validation_alias if isinstance(info.validation_alias, str) else info.alias
        yield Field(
            name,
            alias or name,
            Annotated[info.annotation, info],
            info.is_required(),
            MISSING if info.is_required() or info.default_factory is not None else info.default,
            info.default_factory,
            constructor_name=name if by_name else alias or name,
        )


def _typed_dict_fields(annotation: Any) -> Iterator[Field]:
    cls = get_origin(annotation) or annotation
    for name, hint in _hints(annotation).items():
        # Postponed annotations hide the qualifier from `__required_keys__`, but not from the hint.
        qualifier = get_origin(hint)
        if qualifier in (typing.Required, typing.NotRequired):
            yield Field(name, name, get_args(hint)[0], qualifier is typing.Required)
        else:
            yield Field(name, name, hint, name in cls.__required_keys__)


def _named_tuple_fields(annotation: Any) -> Iterator[Field]:
    cls = get_origin(annotation) or annotation
    hints = _hints(annotation)
    for name in cls._fields:
        yield Field(
            name,
            name,
            hints.get(name, Any),
            name not in cls._field_defaults,
            cls._field_defaults.get(name, MISSING),
        )


def _attrs_fields(annotation: Any) -> Iterator[Field]:
    cls = get_origin(annotation) or annotation
    attrs: Any = sys.modules["attr"]
    hints = _hints(annotation)
    for field in cls.__attrs_attrs__:
        if not field.init:
            continue
        is_factory = isinstance(field.default, attrs.Factory)
        yield Field(
            field.name,
            field.name,
            hints.get(field.name, Any),
            field.default is attrs.NOTHING,
            MISSING if is_factory or field.default is attrs.NOTHING else field.default,
            field.default.factory if is_factory and not field.default.takes_self else None,
            constructor_name=field.alias,
        )


def _dataclass_fields(annotation: Any) -> Iterator[Field]:
    cls = get_origin(annotation) or annotation
    hints = _hints(annotation)
    for field in dataclasses.fields(cls):
        if not field.init:
            continue
        has_factory = field.default_factory is not dataclasses.MISSING
        yield Field(
            field.name,
            field.name,
            hints[field.name],
            field.default is dataclasses.MISSING and not has_factory,
            MISSING if field.default is dataclasses.MISSING else field.default,
            field.default_factory if has_factory else None,  # type: ignore[arg-type] # the other case is excluded
        )


def _hints(annotation: Any) -> dict[str, Any]:
    """The resolved annotations of a class, with type arguments put in."""
    cls = get_origin(annotation) or annotation
    # A class may name itself, wherever it is defined.
    hints = get_type_hints(cls, localns={cls.__name__: cls}, include_extras=True)
    parameters = getattr(cls, "__parameters__", ())
    arguments = get_args(annotation)
    if not parameters or not arguments:
        return hints
    bindings = dict(zip(parameters, arguments, strict=False))
    return {name: _substituted(hint, bindings) for name, hint in hints.items()}


def _substituted(hint: Any, bindings: dict[Any, Any]) -> Any:
    if isinstance(hint, TypeVar):
        return bindings.get(hint, hint)
    free = getattr(hint, "__parameters__", ())
    if not free or inspect.isclass(hint):
        return hint
    return hint[tuple(bindings.get(variable, variable) for variable in free)]


__all__ = ["Field", "fields_of"]
