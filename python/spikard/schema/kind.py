"""What kind of structured type an annotation is."""

import dataclasses
import enum
import sys
import typing
from typing import Any, get_args, get_origin

import msgspec

from spikard.schema.annotation import is_union, peel


class Kind(enum.Enum):
    """Families of types with named fields."""

    STRUCT = "msgspec.Struct"
    PYDANTIC = "pydantic"
    TYPED_DICT = "TypedDict"
    NAMED_TUPLE = "NamedTuple"
    ATTRS = "attrs"
    DATACLASS = "dataclass"


def kind_of(annotation: Any) -> Kind | None:
    """The family of a structured type; None for all others. Optional libraries are never imported for it."""
    cls = get_origin(annotation) or annotation
    if not isinstance(cls, type):
        return Kind.TYPED_DICT if typing.is_typeddict(cls) else None
    checks = (
        (Kind.STRUCT, issubclass(cls, msgspec.Struct)),
        (Kind.PYDANTIC, is_pydantic_class(cls)),
        (Kind.TYPED_DICT, is_typed_dict(cls)),
        (Kind.NAMED_TUPLE, issubclass(cls, tuple) and hasattr(cls, "_fields")),
        (Kind.ATTRS, "__attrs_attrs__" in dir(cls)),
        (Kind.DATACLASS, dataclasses.is_dataclass(cls)),
    )
    return next((kind for kind, fits in checks if fits), None)


def is_typed_dict(cls: Any) -> bool:
    """Whether the class is a TypedDict, of `typing` or of `typing_extensions`."""
    return typing.is_typeddict(cls) or (hasattr(cls, "__total__") and hasattr(cls, "__required_keys__"))


def is_pydantic_class(cls: type) -> bool:
    """Whether the class is a pydantic model or a pydantic dataclass."""
    pydantic = sys.modules.get("pydantic")
    if pydantic is None or not hasattr(cls, "__pydantic_core_schema__"):
        return False
    return issubclass(cls, pydantic.BaseModel) or hasattr(cls, "__pydantic_fields__")


def needs_pydantic(annotation: Any) -> bool:
    """Whether only pydantic can build the type: a model, one of its own types, or annotated with its validators."""
    peeled = peel(annotation)
    if any(is_pydantic_metadata(item) for item in peeled.metadata):
        return True
    if is_union(peeled.core) or peeled.arguments:
        return (
            kind_of(peeled.core) is Kind.PYDANTIC
            or _is_pydantic_type(peeled.origin)
            or any(needs_pydantic(argument) for argument in get_args(peeled.core) if argument is not Ellipsis)
        )
    return kind_of(peeled.core) is Kind.PYDANTIC or _is_pydantic_type(peeled.core)


def is_pydantic_metadata(item: Any) -> bool:
    """Whether the metadata makes pydantic run code: a validator, a type of its own. Constraints don't count."""
    if "pydantic" not in sys.modules or isinstance(item, type):
        return False
    module = type(item).__module__.split(".")[0]
    return module == "pydantic" and hasattr(item, "__get_pydantic_core_schema__")


def _is_pydantic_type(cls: Any) -> bool:
    return (
        isinstance(cls, type)
        and cls.__module__.split(".")[0] in ("pydantic", "pydantic_core", "pydantic_extra_types")
        and (hasattr(cls, "__get_pydantic_core_schema__") or cls.__module__.split(".")[0] == "pydantic_core")
    )


__all__ = ["Kind", "is_pydantic_class", "is_pydantic_metadata", "is_typed_dict", "kind_of", "needs_pydantic"]
