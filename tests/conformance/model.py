"""Classes for bodies, made from a schema the way a developer would write them."""

import dataclasses
import enum
import types
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, NotRequired, TypedDict

import msgspec
import pydantic

from spikard import UploadFile
from tests.conformance.annotation import type_of

Fields = dict[str, tuple[Any, bool]]
COMBINATORS = frozenset({"allOf", "anyOf", "oneOf"})
Make = Callable[[str, Fields], Any]


class Style(enum.Enum):
    """How the handler is annotated, and of which kind its body is."""

    BARE = "bare"
    BUILTIN = "builtin"
    DATACLASS = "dataclass"
    STRUCT = "struct"
    PYDANTIC = "pydantic"
    TYPED_DICT = "typed-dict"
    NAMED_TUPLE = "named-tuple"


def body_type(style: Style, schema: Mapping[str, Any]) -> Any:
    """The annotation of the body."""
    if style in MAKERS:
        return _type_of(MAKERS[style], "Body", schema)
    return dict[str, Any] if schema.get("type") == "object" else type_of(schema)


def is_built(style: Style, schema: Mapping[str, Any]) -> bool:
    """Whether the style gives this schema a class of its own."""
    return style in MAKERS and _is_model(schema)


def _is_model(schema: Any) -> bool:
    if not isinstance(schema, Mapping) or schema.get("type") != "object" or not schema.get("properties"):
        return False
    if COMBINATORS & schema.keys():
        # These may allow members that no property names, and a class would drop them.
        return False
    return all(name.isidentifier() and not name.startswith("_") for name in schema["properties"])


def _type_of(make: Make, name: str, schema: Any) -> Any:
    if _is_model(schema):
        required = schema.get("required", ())
        fields = {
            field: (_type_of(make, f"{name}{field.title()}", part), field in required)
            for field, part in schema["properties"].items()
        }
        return make(name, fields)
    if isinstance(schema, Mapping) and schema.get("type") == "array" and _is_model(schema.get("items")):
        return list[_type_of(make, f"{name}Item", schema["items"])]  # type: ignore[misc]
    return type_of(schema) if isinstance(schema, Mapping) else Any


def _ordered(fields: Fields) -> list[tuple[str, Any, bool]]:
    """Required ones first, as defaults demand."""
    items = [(name, kind, required) for name, (kind, required) in fields.items()]
    return sorted(items, key=lambda item: not item[2])


def _optional(kind: Any) -> Any:
    return kind if kind is Any else kind | None


def _dataclass(name: str, fields: Fields) -> Any:
    return dataclasses.make_dataclass(
        name,
        [
            (field, kind) if required else (field, _optional(kind), dataclasses.field(default=None))
            for field, kind, required in _ordered(fields)
        ],
    )


def _struct(name: str, fields: Fields) -> Any:
    return msgspec.defstruct(
        name,
        [(field, kind) if required else (field, _optional(kind), None) for field, kind, required in _ordered(fields)],
    )


def _pydantic(name: str, fields: Fields) -> Any:
    definitions: dict[str, Any] = {
        field: (kind, ...) if required else (_optional(kind), None) for field, kind, required in _ordered(fields)
    }
    return pydantic.create_model(name, **definitions)


def _typed_dict(name: str, fields: Fields) -> Any:
    return TypedDict(
        name,
        {field: kind if required else NotRequired[kind] for field, kind, required in _ordered(fields)},
    )


def _named_tuple(name: str, fields: Fields) -> Any:
    ordered = _ordered(fields)
    space: dict[str, Any] = {
        "__module__": __name__,
        "__annotations__": {field: kind if required else _optional(kind) for field, kind, required in ordered},
        **{field: None for field, _, required in ordered if not required},
    }
    return types.new_class(name, (NamedTuple,), exec_body=lambda namespace: namespace.update(space))


MAKERS: dict[Style, Make] = {
    Style.DATACLASS: _dataclass,
    Style.STRUCT: _struct,
    Style.PYDANTIC: _pydantic,
    Style.TYPED_DICT: _typed_dict,
    Style.NAMED_TUPLE: _named_tuple,
}


def plain(value: Any) -> Any:
    """The value with its models as dicts."""
    if isinstance(value, UploadFile):
        return {key: value[key] for key in value}
    if isinstance(value, msgspec.Struct):
        value = {field: getattr(value, field) for field in value.__struct_fields__}
    elif isinstance(value, pydantic.BaseModel):
        value = dict(value)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    elif isinstance(value, tuple) and hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value
