"""JSON Schema from types: a table, and agreement with what builds the values."""

import dataclasses
import datetime as dt
import decimal
import enum
import ipaddress
import json
import pathlib
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from typing import (
    Annotated,
    Any,
    Generic,
    Literal,
    NamedTuple,
    NewType,
    NotRequired,
    Optional,
    Required,
    TypedDict,
    TypeVar,
)

import annotated_types as at
import attrs
import msgspec
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikard import PlainTextResponse, Response
from spikard._spikard import check_schema, validate_json
from spikard.params import Body, Query
from spikard.routing.decoder import decoder_for
from spikard.schema import SchemaBuilder, UnsupportedType, extract_json_schema, extract_schemas

T = TypeVar("T")
UserId = NewType("UserId", int)


class Colour(enum.Enum):
    RED = "r"
    BLUE = "b"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Mixed(enum.Enum):
    A = "a"
    ONE = 1


class Cat(msgspec.Struct, tag="cat"):
    lives: int


class Dog(msgspec.Struct, tag="dog", tag_field="kind", forbid_unknown_fields=True):
    good: bool = True


class User(msgspec.Struct, rename="camel"):
    user_id: Annotated[int, msgspec.Meta(ge=1, description="the key")]
    nick_names: list[str] = []
    manager: Optional["User"] = None


class Pair(msgspec.Struct, array_like=True):
    first: int
    second: str = ""


@dataclasses.dataclass
class Point:
    x: float
    y: Annotated[float, at.Ge(0), at.Lt(10)] = 1.5
    label: str | None = None
    tags: list[str] = dataclasses.field(default_factory=list)
    hidden: int = dataclasses.field(default=0, init=False)


@dataclasses.dataclass
class Page(Generic[T]):
    items: list[T]
    next: str | None = None


@dataclasses.dataclass
class Tree:
    children: list["Tree"]


class Movie(TypedDict, total=False):
    title: Required[str]
    year: int


class Note(TypedDict):
    text: str
    author: NotRequired[Colour]


Contact = TypedDict("Contact", {"contact.email": str, "class": int})


class Span(NamedTuple):
    start: int
    end: int = 5


@attrs.define
class Size:
    width: int
    _depth: int = 3
    parts: list[Span] = attrs.field(factory=list)
    area: int = attrs.field(default=0, init=False)


class Model(pydantic.BaseModel):
    a: int = pydantic.Field(gt=1)
    b: str | None = None
    price: decimal.Decimal | None = None


INT = {"type": "integer"}
STR = {"type": "string"}
SPAN = {
    "title": "Span",
    "type": "object",
    "properties": {"start": INT, "end": {"type": "integer", "default": 5}},
    "required": ["start"],
}

TABLE: list[tuple[Any, Any]] = [
    (int, INT),
    (float, {"type": "number"}),
    (bool, {"type": "boolean"}),
    (str, STR),
    (None, {"type": "null"}),
    (bytes, {"type": "string", "contentEncoding": "base64"}),
    (uuid.UUID, {"type": "string", "format": "uuid"}),
    (dt.date, {"type": "string", "format": "date"}),
    (dt.datetime, {"type": "string", "format": "date-time"}),
    (dt.time, {"type": "string", "format": "time"}),
    (dt.timedelta, {"type": "string", "format": "duration"}),
    (decimal.Decimal, {"type": ["string", "number"], "format": "decimal"}),
    (ipaddress.IPv4Address, {"type": "string", "format": "ipv4"}),
    (pathlib.Path, STR),
    (Any, None),
    (object, None),
    (complex, None),
    (type, None),
    (Callable[[], int], None),
    (list, {"type": "array"}),
    (list[Any], {"type": "array"}),
    (list[int], {"type": "array", "items": INT}),
    (set[int], {"type": "array", "items": INT}),
    (Sequence[str], {"type": "array", "items": STR}),
    (tuple, {"type": "array"}),
    (tuple[int, ...], {"type": "array", "items": INT}),
    (tuple[int, str], {"type": "array", "minItems": 2, "maxItems": 2, "prefixItems": [INT, STR], "items": False}),
    (tuple[()], {"type": "array", "minItems": 0, "maxItems": 0, "items": False}),
    (dict, {"type": "object"}),
    (dict[str, Any], {"type": "object"}),
    (dict[str, int], {"type": "object", "additionalProperties": INT}),
    (Mapping[uuid.UUID, int], {
        "type": "object", "additionalProperties": INT, "propertyNames": {"type": "string", "format": "uuid"},
    }),
    (int | None, {"type": ["integer", "null"]}),
    (Optional[list[int]], {"type": ["array", "null"], "items": INT}),  # noqa: UP045
    (int | str, {"type": ["integer", "string"]}),
    (int | str | None, {"type": ["integer", "string", "null"]}),
    (int | list[int], {"anyOf": [INT, {"type": "array", "items": INT}]}),
    (int | list[int] | None, {"anyOf": [INT, {"type": "array", "items": INT}, {"type": "null"}]}),
    (int | Any, None),
    (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
    (Literal["a"] | None, {"type": ["string", "null"], "enum": ["a", None]}),
    (Literal[1, "a"], {"type": ["integer", "string"], "enum": [1, "a"]}),
    (Literal[Colour.RED], {"type": "string", "enum": ["r"]}),
    (Colour, {"title": "Colour", "type": "string", "enum": ["r", "b"]}),
    (Level, {"title": "Level", "type": "integer", "enum": [1, 2]}),
    (Mixed, {"title": "Mixed", "type": ["string", "integer"], "enum": ["a", 1]}),
    (UserId, INT),
    (list[UserId], {"type": "array", "items": INT}),
    (Annotated[int, msgspec.Meta(gt=1, le=5)], {"type": "integer", "exclusiveMinimum": 1, "maximum": 5}),
    (Annotated[str, msgspec.Meta(pattern="^a", min_length=1, examples=["ab"])], {
        "type": "string", "pattern": "^a", "minLength": 1, "examples": ["ab"],
    }),
    (Annotated[str, msgspec.Meta(extra_json_schema={"format": "email"})], {"type": "string", "format": "email"}),
    (Annotated[list[int], msgspec.Meta(min_length=1)], {"type": "array", "items": INT, "minItems": 1}),
    (Annotated[dict[str, int], at.MaxLen(2)], {"type": "object", "additionalProperties": INT, "maxProperties": 2}),
    (Annotated[int, at.Interval(ge=1, lt=9)], {"type": "integer", "minimum": 1, "exclusiveMaximum": 9}),
    (Annotated[str, at.Len(1, 3)], {"type": "string", "minLength": 1, "maxLength": 3}),
    (Annotated[int, at.MultipleOf(3)], {"type": "integer", "multipleOf": 3}),
    (Annotated[int | None, at.Ge(1)], {"type": ["integer", "null"], "minimum": 1}),
    (Annotated[Annotated[int, at.Ge(1)], at.Ge(2)], {"type": "integer", "minimum": 2}),
    (Annotated[str, pydantic.Field(max_length=3, pattern="a", description="d")], {
        "type": "string", "maxLength": 3, "pattern": "a", "description": "d",
    }),
    (Annotated[int, Query(ge=3)], {"type": "integer", "minimum": 3}),
    (Annotated[int, "words", 3], INT),
    (Annotated[dt.date, at.Ge(dt.date(2020, 1, 1))], {"type": "string", "format": "date"}),
    (Cat, {
        "title": "Cat", "type": "object", "properties": {"type": {"type": "string", "enum": ["cat"]}, "lives": INT},
        "required": ["type", "lives"],
    }),
    (Dog, {
        "title": "Dog", "type": "object",
        "properties": {"kind": {"type": "string", "enum": ["dog"]}, "good": {"type": "boolean", "default": True}},
        "required": ["kind"], "additionalProperties": False,
    }),
    (Pair, {
        "title": "Pair", "type": "array", "prefixItems": [INT, {"type": "string", "default": ""}], "minItems": 1,
    }),
    (Point, {
        "title": "Point", "type": "object",
        "properties": {
            "x": {"type": "number"},
            "y": {"type": "number", "minimum": 0, "exclusiveMaximum": 10, "default": 1.5},
            "label": {"type": ["string", "null"], "default": None},
            "tags": {"type": "array", "items": STR},
        },
        "required": ["x"],
    }),
    (Movie, {"title": "Movie", "type": "object", "properties": {"title": STR, "year": INT}, "required": ["title"]}),
    (Note, {
        "title": "Note", "type": "object",
        "properties": {"text": STR, "author": {"title": "Colour", "type": "string", "enum": ["r", "b"]}},
        "required": ["text"],
    }),
    (Contact, {
        "title": "Contact", "type": "object", "properties": {"contact.email": STR, "class": INT},
        "required": ["contact.email", "class"],
    }),
    (Span, SPAN),
    (Size, {
        "title": "Size", "type": "object",
        "properties": {
            "width": INT,
            "_depth": {"type": "integer", "default": 3},
            "parts": {"type": "array", "items": {"$ref": "#/$defs/Span"}},
        },
        "required": ["width"], "$defs": {"Span": SPAN},
    }),
    (Page[int], {
        "title": "Page[int]", "type": "object",
        "properties": {"items": {"type": "array", "items": INT}, "next": {"type": ["string", "null"], "default": None}},
        "required": ["items"],
    }),
    (Span | None, {"anyOf": [{"$ref": "#/$defs/Span"}, {"type": "null"}], "$defs": {"Span": SPAN}}),
    (list[Span], {"type": "array", "items": {"$ref": "#/$defs/Span"}, "$defs": {"Span": SPAN}}),
    (Annotated[Span, msgspec.Meta(description="from to")], {**SPAN, "description": "from to"}),
]  # fmt: skip


@pytest.mark.parametrize(("annotation", "schema"), TABLE, ids=[str(row[0]) for row in TABLE])
def test_table(annotation: Any, schema: Any) -> None:
    made = extract_json_schema(annotation)
    assert made == schema
    if made is not None:
        json.dumps(made)
        check_schema(made)


def test_recursive_types_stand_at_the_top_and_in_the_definitions() -> None:
    for annotation in (Tree, User):
        schema = extract_json_schema(annotation)
        assert schema is not None
        name = annotation.__name__
        assert schema["title"] == name
        assert schema["$defs"][name]["properties"] == schema["properties"]
    assert validate_json(extract_json_schema(Tree) or {}, b'{"children": [{"children": [{}]}]}')
    assert not validate_json(extract_json_schema(Tree) or {}, b'{"children": [{"children": []}]}')


def test_struct_fields_have_their_wire_names() -> None:
    schema = extract_json_schema(User) or {}
    assert list(schema["properties"]) == ["userId", "nickNames", "manager"]
    assert schema["properties"]["userId"] == {"type": "integer", "minimum": 1, "description": "the key"}
    assert schema["required"] == ["userId"]


def test_pydantic_models() -> None:
    schema = extract_json_schema(Model) or {}
    assert schema["properties"]["a"]["exclusiveMinimum"] == 1
    # One branch and null is said in one schema, so that faults name the branch's kind.
    assert schema["properties"]["b"] == {"type": ["string", "null"], "default": None, "title": "B"}
    check_schema(schema)
    nested = extract_json_schema(dict[str, Model]) or {}
    assert nested["additionalProperties"] == {"$ref": "#/$defs/Model"}
    check_schema(nested)


def test_pydantic_inside_a_dataclass() -> None:
    @dataclasses.dataclass
    class Order:
        model: Model
        more: list[Model]

    schema = extract_json_schema(Order) or {}
    check_schema(schema)
    assert [fault["loc"] for fault in validate_json(schema, b'{"model": {"a": 1}, "more": [{}]}')] == [
        ["body", "model", "a"],
        ["body", "more", "0", "a"],
    ]


def test_equal_names_do_not_clash() -> None:
    def make(field: Any) -> Any:
        return dataclasses.make_dataclass("Same", [("value", field)])

    schema = extract_json_schema(tuple[make(int), make(str), make(float)]) or {}
    references = [item["$ref"] for item in schema["prefixItems"]]
    assert len(set(references)) == 3
    kinds = [schema["$defs"][ref.removeprefix("#/$defs/")]["properties"]["value"]["type"] for ref in references]
    assert kinds == ["integer", "string", "number"]


def test_text_has_no_numbers_for_decimals() -> None:
    assert SchemaBuilder(as_text=True).root(decimal.Decimal) == {"type": "string", "format": "decimal"}


def test_unsupported_types_leave_nothing_behind() -> None:
    @dataclasses.dataclass
    class Odd:
        call: complex

    builder = SchemaBuilder()
    with pytest.raises(UnsupportedType, match="complex"):
        builder.build(Odd)
    assert builder.definitions == {}


if sys.version_info >= (3, 12):

    def test_type_statements() -> None:
        names: dict[str, Any] = {}
        exec("type Key = int\ntype Many[T] = list[T]\n", names)
        assert extract_json_schema(names["Key"]) == INT
        assert extract_json_schema(names["Many"][names["Key"]]) == {"type": "array", "items": INT}


def test_type_aliases_by_call() -> None:
    import typing_extensions

    alias = typing_extensions.TypeAliasType("Key", Annotated[int, at.Ge(1)])
    assert extract_json_schema(list[alias]) == {"type": "array", "items": {"type": "integer", "minimum": 1}}


def test_schemas_of_a_handler() -> None:
    async def create(item_id: int, body: Span) -> Page[int]: ...
    async def marked(data: int = Body()) -> None: ...
    async def plain(q: str): ...  # type: ignore[no-untyped-def]

    assert extract_schemas(create) == (SPAN, extract_json_schema(Page[int]))
    assert extract_schemas(marked) == (INT, None)
    assert extract_schemas(plain) == (None, None)


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        (Awaitable[int], INT),
        (AsyncIterator[Span], SPAN),
        (Iterator[int], INT),
        (tuple[str, int], STR),
        (tuple[Span, int, dict[str, str]], SPAN),
        (tuple[str, Literal[201]], STR),
        (tuple[float, int], {
            "type": "array", "minItems": 2, "maxItems": 2, "prefixItems": [{"type": "number"}, INT], "items": False,
        }),
        (Response, None),
        (PlainTextResponse, None),
        (Span | Response, None),
        (None, None),
        (Any, None),
    ],
)  # fmt: skip
def test_answers(annotation: Any, schema: Any) -> None:
    def handler() -> None: ...

    handler.__annotations__["return"] = annotation
    assert extract_schemas(handler)[1] == schema


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 12)
    | st.floats(-3, 11, width=16)
    | st.sampled_from(["", "a", "r", "x" * 9]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["x", "y", "label", "tags", "title", "year", "items", "next", "userId", "manager"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=6,
)
BUILT = [Point, Movie, Note, User, Page[int], Tree, Colour, list[int], dict[str, int], int | str | None, float, Level]


@given(value=JSON, annotation=st.sampled_from(BUILT))
@settings(max_examples=400, deadline=None)
def test_schema_and_decoder_agree(value: Any, annotation: Any) -> None:
    document = json.dumps(value).encode()
    accepted = not validate_json(extract_json_schema(annotation) or {}, document)
    strictly_built = builds(msgspec.json.Decoder(annotation).decode, document)
    if accepted:
        assert builds(decoder_for(annotation).decode, document)
    # Constraints of annotated_types are the schema's alone.
    elif annotation is not Point:
        assert not strictly_built


def builds(decode: Callable[[bytes], Any], document: bytes) -> bool:
    try:
        decode(document)
    except msgspec.ValidationError:
        return False
    return True
