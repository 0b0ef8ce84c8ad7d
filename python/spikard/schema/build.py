"""JSON Schema made from types."""

import collections.abc
import datetime as dt
import decimal
import enum
import ipaddress
import json
import pathlib
import re
import uuid
from collections.abc import Mapping
from typing import Any, Literal, get_args

import msgspec

from spikard.datastructures import UploadFile
from spikard.params.missing import MISSING
from spikard.schema import custom, model
from spikard.schema.annotation import NONE_TYPE, Annotation, is_union, peel
from spikard.schema.field import Field, fields_of
from spikard.schema.kind import Kind, kind_of, needs_pydantic
from spikard.schema.metadata import keywords_of

Schema = dict[str, Any]

SCALARS: Mapping[Any, Schema] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    bytes: {"type": "string", "contentEncoding": "base64"},
    bytearray: {"type": "string", "contentEncoding": "base64"},
    memoryview: {"type": "string", "contentEncoding": "base64"},
    uuid.UUID: {"type": "string", "format": "uuid"},
    dt.date: {"type": "string", "format": "date"},
    dt.datetime: {"type": "string", "format": "date-time"},
    dt.time: {"type": "string", "format": "time"},
    dt.timedelta: {"type": "string", "format": "duration"},
    decimal.Decimal: {"type": "string", "format": "decimal"},
    ipaddress.IPv4Address: {"type": "string", "format": "ipv4"},
    ipaddress.IPv6Address: {"type": "string", "format": "ipv6"},
    NONE_TYPE: {"type": "null"},
    None: {"type": "null"},
}
# A JSON number for a Decimal is as exact as its text.
JSON_DECIMAL: Schema = {"type": ["string", "number"], "format": "decimal"}
JSON_TYPES: Mapping[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string", NONE_TYPE: "null"}
ARRAYS = (
    list,
    set,
    frozenset,
    collections.abc.Sequence,
    collections.abc.MutableSequence,
    collections.abc.Set,
    collections.abc.MutableSet,
    collections.abc.Collection,
    collections.abc.Iterable,
)
# The bytes of a file, as OpenAPI names them.
BINARY: Schema = {"type": "string", "format": "binary"}
OBJECTS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)


class UnsupportedType(TypeError):  # noqa: N818 - names the type, not a fault of a request
    """No JSON Schema describes the type."""


class SchemaBuilder:
    """Builds schemas that share definitions.

    `as_text` is for values that arrive as text (parameters): a Decimal is text there, and only there.
    """

    def __init__(self, *, as_text: bool = False) -> None:
        self.as_text = as_text
        self.definitions: dict[str, Schema] = {}
        self._names: dict[Any, str] = {}

    def root(self, annotation: Any) -> Schema:
        """A self-contained schema; a named type stands at the top itself, not behind a reference."""
        schema = self.build(annotation)
        reference = schema.get("$ref")
        if reference is not None:
            name = reference.removeprefix("#/$defs/")
            siblings = {keyword: value for keyword, value in schema.items() if keyword != "$ref"}
            schema = {**self.definitions[name], **siblings}
            if not _mentions(schema, reference) and not _mentions(self.definitions, reference):
                del self.definitions[name]
        return {**schema, "$defs": dict(self.definitions)} if self.definitions else schema

    def build(self, annotation: Any) -> Schema:
        """The schema of a type; named types become references into `definitions`."""
        peeled = peel(annotation)
        if needs_pydantic(annotation) and kind_of(peeled.core) is not Kind.PYDANTIC and not is_union(peeled.core):
            schema = self._adopt(model.json_schema(_with_metadata(peeled)))
            return _nullable(schema) if peeled.nullable else schema
        schema = dict(self._core(peeled))
        schema.update(keywords_of(peeled.metadata, schema.get("type")))
        return _nullable(schema) if peeled.nullable else schema

    def _core(self, peeled: Annotation) -> Schema:
        core, origin = peeled.core, peeled.origin
        if peeled.is_any:
            return {}
        if core is decimal.Decimal and not self.as_text:
            return JSON_DECIMAL
        if _is_hashable(core) and core in SCALARS:
            return SCALARS[core]
        if is_union(core):
            return self._union(get_args(core))
        if origin is Literal:
            return _enumeration(list(peeled.arguments))
        if kind_of(core) is not None:
            return self._named(core)
        if core is UploadFile:
            return BINARY
        if isinstance(origin, type):
            # `tuple[()]` has no arguments either, but unlike `tuple` it has said so.
            is_empty = origin is tuple and core is not tuple and not peeled.arguments
            return self._class(origin, ((),) if is_empty else peeled.arguments)
        return _undescribed(repr(core))

    def _class(self, cls: type, arguments: tuple[Any, ...]) -> Schema:
        if issubclass(cls, enum.Enum):
            return {"title": cls.__name__, **_enumeration([member.value for member in cls])}
        if issubclass(cls, tuple):
            return self._tuple(arguments)
        if cls in ARRAYS:
            return {"type": "array", **({"items": self.build(arguments[0])} if _says(arguments) else {})}
        if cls in OBJECTS or issubclass(cls, dict):
            return {"type": "object", **self._members(arguments)}
        if issubclass(cls, pathlib.PurePath):
            return {"type": "string"}
        if issubclass(cls, re.Pattern):
            return {"type": "string", "format": "regex"}
        for scalar, schema in SCALARS.items():
            if isinstance(scalar, type) and scalar is not NONE_TYPE and issubclass(cls, scalar):
                return schema
        return _undescribed(f"{cls.__module__}.{cls.__qualname__}")

    def _members(self, arguments: tuple[Any, ...]) -> Schema:
        if len(arguments) != 2:
            return {}
        names = self.build(arguments[0])
        schema: Schema = {"additionalProperties": self.build(arguments[1])} if _says(arguments[1:]) else {}
        if names not in ({}, {"type": "string"}) and "$ref" not in names and "string" in str(names.get("type")):
            schema["propertyNames"] = names
        return schema

    def _tuple(self, arguments: tuple[Any, ...]) -> Schema:
        if not arguments:
            return {"type": "array"}
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return {"type": "array", **({"items": self.build(arguments[0])} if _says(arguments) else {})}
        if arguments == ((),):
            arguments = ()
        schema: Schema = {"type": "array", "minItems": len(arguments), "maxItems": len(arguments)}
        if arguments:
            schema["prefixItems"] = [self.build(argument) for argument in arguments]
        return {**schema, "items": False}

    def _union(self, members: tuple[Any, ...]) -> Schema:
        branches: list[Schema] = []
        for member in members:
            branch = self.build(member)
            if branch not in branches:
                branches.append(branch)
        if {} in branches:
            return {}
        if len(branches) == 1:
            return branches[0]
        if all(branch.keys() == {"type"} for branch in branches):
            types = [name for branch in branches for name in _listed(branch["type"])]
            return {"type": list(dict.fromkeys(types))}
        return {"anyOf": branches}

    def _named(self, core: Any) -> Schema:
        if core not in self._names:
            kind = kind_of(core)
            if kind is Kind.PYDANTIC:
                # Pydantic's reference stands for the whole type, also where it is generic.
                return self._adopt(model.json_schema(core))
            name = self._free_name(core)
            self._names[core] = name
            self.definitions[name] = {}
            try:
                self.definitions[name] = self._object(core, kind)
            except BaseException:
                del self.definitions[name], self._names[core]
                raise
        return {"$ref": f"#/$defs/{self._names[core]}"}

    def _object(self, core: Any, kind: Kind | None) -> Schema:
        fields = fields_of(core)
        schema: Schema = {"title": _type_name(core), "type": "object"}
        config = core_config(core) if kind is Kind.STRUCT else None
        if config is not None and config.array_like:
            return self._array_like(schema, fields, config)
        properties = {field.wire_name: self._property(field) for field in fields}
        required = [field.wire_name for field in fields if field.required]
        if config is not None and config.tag is not None:
            properties = {config.tag_field: _enumeration([config.tag]), **properties}
            required = [config.tag_field, *required]
        schema["properties"] = properties
        if required:
            schema["required"] = required
        if config is not None and config.forbid_unknown_fields:
            schema["additionalProperties"] = False
        return schema

    def _array_like(self, schema: Schema, fields: list[Field], config: Any) -> Schema:
        items = [self._property(field) for field in fields]
        least = sum(field.required for field in fields)
        if config.tag is not None:
            items, least = [_enumeration([config.tag]), *items], least + 1
        schema = {**schema, "type": "array", "prefixItems": items, "minItems": least}
        return {**schema, "items": False, "maxItems": len(items)} if config.forbid_unknown_fields else schema

    def _property(self, field: Field) -> Schema:
        schema = self.build(field.annotation)
        if field.default is MISSING or field.default is msgspec.UNSET:
            return schema
        try:
            default = msgspec.to_builtins(field.default)
            # Infinity has no JSON form.
            json.dumps(default, allow_nan=False)
        except (TypeError, ValueError):
            return schema
        return {**schema, "default": default}

    def _free_name(self, core: Any) -> str:
        name = re.sub(r"\W+", "_", _type_name(core)).strip("_")
        if name not in self.definitions:
            return name
        module = getattr(core, "__module__", "")
        longer = re.sub(r"\W+", "_", f"{module}.{getattr(core, '__qualname__', name)}").strip("_")
        candidates = (f"{longer}_{number}" if number else longer for number in range(len(self.definitions) + 1))
        return next(candidate for candidate in candidates if candidate not in self.definitions)

    def _adopt(self, schema: Schema) -> Schema:
        """Take over the definitions of a finished schema; what clashes is renamed."""
        schema = dict(schema)
        definitions: dict[str, Schema] = schema.pop("$defs", {})
        renamed: dict[str, str] = {}
        for name, definition in definitions.items():
            free = name
            while free in self.definitions and self.definitions[free] != definition:
                free += "_"
            renamed[f"#/$defs/{name}"] = f"#/$defs/{free}"
        for (name, definition), target in zip(definitions.items(), renamed.values(), strict=True):
            changed = any(old != new for old, new in renamed.items())
            self.definitions[target.removeprefix("#/$defs/")] = (
                _redirected(definition, renamed) if changed else definitions[name]
            )
        redirected: Schema = _redirected(schema, renamed)
        return redirected


def _undescribed(name: str) -> Schema:
    """What is said of a type that a decoder of the application may know: nothing."""
    if custom.any_registered():
        return {}
    raise UnsupportedType(f"no JSON Schema describes {name}")


def core_config(core: Any) -> Any:
    """The options a Struct was declared with."""
    return (getattr(core, "__origin__", None) or core).__struct_config__


def _with_metadata(peeled: Annotation) -> Any:
    core = peeled.core
    for item in peeled.metadata:
        core = model.annotated(core, item)
    return core


def _enumeration(values: list[Any]) -> Schema:
    values = [value.value if isinstance(value, enum.Enum) else value for value in values]
    kinds = list(dict.fromkeys(JSON_TYPES.get(type(value)) for value in values))
    if not values or None in kinds:
        return {"enum": values}
    return {"type": kinds[0] if len(kinds) == 1 else kinds, "enum": values}


def _nullable(schema: Schema) -> Schema:
    if not schema:
        return schema
    if "type" in schema and "$ref" not in schema and "anyOf" not in schema:
        schema["type"] = [*_listed(schema["type"]), "null"] if "null" not in schema["type"] else schema["type"]
        if "enum" in schema and None not in schema["enum"]:
            schema["enum"] = [*schema["enum"], None]
        return schema
    if schema.keys() == {"anyOf"}:
        return {"anyOf": [*schema["anyOf"], {"type": "null"}]}
    if schema.keys() == {"enum"}:
        return {"enum": [*schema["enum"], None]}
    return {"anyOf": [schema, {"type": "null"}]}


def _listed(kind: Any) -> list[str]:
    return list(kind) if isinstance(kind, list) else [kind]


def _says(arguments: tuple[Any, ...]) -> bool:
    return bool(arguments) and arguments[0] not in (Any, object)


def _type_name(core: Any) -> str:
    name = getattr(core, "__name__", None) or str(core)
    arguments = get_args(core)
    if not arguments:
        return str(name)
    return f"{name}[{', '.join(_type_name(argument) for argument in arguments)}]"


def _is_hashable(core: Any) -> bool:
    try:
        hash(core)
    except TypeError:
        return False
    return True


def _mentions(schema: Any, reference: str) -> bool:
    if isinstance(schema, dict):
        return schema.get("$ref") == reference or any(_mentions(value, reference) for value in schema.values())
    if isinstance(schema, list):
        return any(_mentions(item, reference) for item in schema)
    return False


def _redirected(schema: Any, references: Mapping[str, str]) -> Any:
    if isinstance(schema, dict):
        return {
            keyword: references.get(value, value)
            if keyword == "$ref" and isinstance(value, str)
            else _redirected(value, references)
            for keyword, value in schema.items()
        }
    if isinstance(schema, list):
        return [_redirected(item, references) for item in schema]
    return schema


__all__ = ["Schema", "SchemaBuilder", "UnsupportedType"]
