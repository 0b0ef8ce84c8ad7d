"""Plans of bodies: kind, schema, and what the decoders build."""

import dataclasses
import datetime as dt
import decimal
import enum
import ipaddress
import json
import uuid
from collections.abc import Callable
from typing import Annotated, Any, Generic, Literal, NamedTuple, NotRequired, Optional, TypedDict, TypeVar

import annotated_types as at
import attrs
import msgspec
import pydantic
import pytest

from spikard import Body, Form, Query
from spikard._spikard import check_schema, validate_json
from spikard.params import MISSING
from spikard.routing.handler_plan import BodyPlan
from tests.routing.compiled import compiled

T = TypeVar("T")


class Colour(enum.Enum):
    RED = "r"


class Struct(msgspec.Struct, rename="camel"):
    user_id: int
    when: dt.datetime | None = None


class Cat(msgspec.Struct, tag=True):
    lives: int


class Dog(msgspec.Struct, tag=True):
    good: bool


class Model(pydantic.BaseModel):
    a: int
    nested: Optional["Model"] = None
    when: dt.date | None = None


@pydantic.dataclasses.dataclass
class PydanticData:
    a: int


@dataclasses.dataclass
class Data:
    a: int
    ids: list[uuid.UUID] = dataclasses.field(default_factory=list)
    price: decimal.Decimal | None = None
    address: ipaddress.IPv4Address | None = None


@dataclasses.dataclass
class Checked:
    a: int

    def __post_init__(self) -> None:
        if self.a < 0:
            raise ValueError("a is negative")


@dataclasses.dataclass
class Page(Generic[T]):
    items: list[T]


class Movie(TypedDict):
    title: str
    year: NotRequired[int]


Contact = TypedDict("Contact", {"contact.email": str, "class": int})


class Span(NamedTuple):
    start: int
    end: int = 5
    inner: tuple[int, str] | None = None


class Line(NamedTuple):
    first: Span
    rest: list[Span] = []  # noqa: RUF012 - a default like any other
    by_name: dict[str, Span] = {}  # noqa: RUF012


@dataclasses.dataclass
class WithSpan:
    span: Span
    colour: Colour = Colour.RED
    maybe: Span | None = None


class StructWithSpan(msgspec.Struct, rename="kebab"):
    the_span: Span


class DictWithSpan(TypedDict):
    span: Span
    other: NotRequired[int]


@attrs.define
class Attrs:
    width: int
    height: int = 2


class Mixed(msgspec.Struct):
    model: Model


def body_of(annotation: Any, default: Any = MISSING, method: str = "POST", **options: Any) -> BodyPlan:
    """The plan of `body: annotation`."""
    namespace: dict[str, Any] = {"annotation": annotation, "default": default}
    text = "" if default is MISSING else " = default"
    exec(f"def handler(body: annotation{text}): ...", namespace)
    plan = compiled(namespace["handler"], method, **options).body
    assert plan is not None
    return plan


BUILDS: list[tuple[Any, Any, Any]] = [
    (Any, [1, {"a": None}], [1, {"a": None}]),
    (dict, {"a": 1}, {"a": 1}),
    (dict[str, Any], {"a": [1]}, {"a": [1]}),
    (dict[str, int], {"a": 1}, {"a": 1}),
    (list[int], [1, 2], [1, 2]),
    (tuple[int, str], [1, "a"], (1, "a")),
    (int, 5, 5),
    (Literal["a", "b"], "a", "a"),
    (Colour, "r", Colour.RED),
    (uuid.UUID, str(uuid.UUID(int=3)), uuid.UUID(int=3)),
    (Struct, {"userId": 1, "when": "2024-01-02T03:04:05Z", "extra": 1},
     Struct(1, dt.datetime(2024, 1, 2, 3, 4, 5, tzinfo=dt.UTC))),
    (Struct | None, None, None),
    (Cat | Dog, {"type": "Dog", "good": True}, Dog(True)),
    (list[Cat | Dog], [{"type": "Cat", "lives": 9}], [Cat(9)]),
    (Model, {"a": 1, "nested": {"a": 2}, "when": "2024-01-02"},
     Model(a=1, nested=Model(a=2), when=dt.date(2024, 1, 2))),
    (list[Model], [{"a": 1}], [Model(a=1)]),
    (Model | None, None, None),
    (PydanticData, {"a": 1}, PydanticData(1)),
    (Annotated[str, pydantic.AfterValidator(str.upper)], "a", "A"),
    (Data, {"a": 1, "ids": [str(uuid.UUID(int=1))], "price": "1.50", "address": "10.0.0.1"},
     Data(1, [uuid.UUID(int=1)], decimal.Decimal("1.50"), ipaddress.IPv4Address("10.0.0.1"))),
    (Data, {"a": 1, "price": 1.5, "extra": None}, Data(1, price=decimal.Decimal("1.5"))),
    (Page[Data], {"items": [{"a": 1}]}, Page([Data(1)])),
    (Movie, {"title": "x", "extra": 1}, {"title": "x"}),
    (Contact, {"contact.email": "a@b", "class": 3}, {"contact.email": "a@b", "class": 3}),
    (Attrs, {"width": 1}, Attrs(1, 2)),
    (Span, {"start": 1}, Span(1)),
    (Span, {"start": 1, "end": 2, "inner": [3, "a"], "extra": 0}, Span(1, 2, (3, "a"))),
    (Span | None, None, None),
    (list[Span], [{"start": 1}], [Span(1)]),
    (dict[str, Span], {"a": {"start": 1}}, {"a": Span(1)}),
    (tuple[Span, int], [{"start": 1}, 2], (Span(1), 2)),
    (set[Span], [{"start": 1}, {"start": 1}], {Span(1)}),
    (Line, {"first": {"start": 1}, "rest": [{"start": 2}], "by_name": {"a": {"start": 3}}},
     Line(Span(1), [Span(2)], {"a": Span(3)})),
    (WithSpan, {"span": {"start": 1}, "colour": "r", "maybe": None}, WithSpan(Span(1))),
    (StructWithSpan, {"the-span": {"start": 1}}, StructWithSpan(Span(1))),
    (DictWithSpan, {"span": {"start": 1}}, {"span": Span(1)}),
    (Struct | Data, {"a": 1}, Data(1)),
    (Struct | Data | None, {"userId": 1}, Struct(1)),
    (Mixed, {"model": {"a": 1}}, Mixed(Model(a=1))),
    (Annotated[Struct, msgspec.Meta(description="d")], {"userId": 1}, Struct(1)),
]  # fmt: skip


@pytest.mark.parametrize(("annotation", "document", "made"), BUILDS, ids=[str(row[0]) for row in BUILDS])
def test_builds(annotation: Any, document: Any, made: Any) -> None:
    plan = body_of(annotation)
    data = json.dumps(document).encode()
    assert plan.kind == "json"
    assert plan.schema is not None
    check_schema(plan.schema)
    assert validate_json(plan.schema, data) == []
    for built in (plan.decode(data), plan.convert(document)):
        assert built == made
        assert type(built) is type(made)


REFUSES: list[tuple[Any, Any, list[tuple[str, list[str]]]]] = [
    (int, "a", [("int_parsing", ["body"])]),
    (Struct, {}, [("missing", ["body", "userId"])]),
    (Struct, {"userId": "x"}, [("int_parsing", ["body", "userId"])]),
    (Struct, [], [("dict_type", ["body"])]),
    (list[Struct], [{"userId": 1}, {}], [("missing", ["body", "1", "userId"])]),
    (Data, {"a": 1, "ids": ["x"]}, [("uuid_parsing", ["body", "ids", "0"])]),
    (Data, {"a": 1, "address": "x"}, [("value_error", ["body", "address"])]),
    (Checked, {"a": -1}, [("value_error", ["body"])]),
    (Page[Checked], {"items": [{"a": 1}, {"a": -1}]}, [("value_error", ["body", "items", "1"])]),
    (Cat | Dog, {"type": "Cow"}, [("enum", ["body", "type"])]),
    (Model, {"nested": {"a": "x"}}, [("missing", ["body", "a"]), ("int_parsing", ["body", "nested", "a"])]),
    (Mixed, {"model": {}}, [("missing", ["body", "model", "a"])]),
    (Span, {}, [("missing", ["body", "start"])]),
    (list[Span], [{"start": "x"}], [("int_parsing", ["body", "0", "start"])]),
    (Struct | Data, {}, [("missing", ["body", "userId"])]),
    (Contact, {"contact.email": 1, "class": 1}, [("string_type", ["body", "contact", "email"])]),
]


@pytest.mark.parametrize(("annotation", "document", "faults"), REFUSES, ids=[str(row[0]) for row in REFUSES])
def test_refuses(annotation: Any, document: Any, faults: list[tuple[str, list[str]]]) -> None:
    plan = body_of(annotation)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - which one is the library's choice
        plan.decode(json.dumps(document).encode())
    errors = plan.errors(caught.value)
    assert errors is not None
    assert [(error["type"], error["loc"]) for error in errors] == faults
    for error in errors:
        assert error["msg"]
        assert "url" not in error
        json.dumps(error)


def test_malformed_json_is_no_fault_of_the_value() -> None:
    plan = body_of(Struct)
    with pytest.raises(msgspec.DecodeError) as caught:
        plan.decode(b"{")
    assert plan.errors(caught.value) is None
    assert plan.errors(RuntimeError("bug")) is None


@pytest.mark.parametrize(
    ("annotation", "default", "required"),
    [(Struct, MISSING, True), (Struct | None, MISSING, False), (Struct, None, False), (Any, MISSING, True)],
)
def test_required(annotation: Any, default: Any, required: bool) -> None:
    plan = body_of(annotation, default)
    assert plan.required is required
    assert plan.default is default


def test_default_factory() -> None:
    plan = body_of(dict[str, Any], Body(default_factory=dict))
    assert not plan.required
    assert plan.default_factory is dict


# Kinds


@pytest.mark.parametrize(
    ("annotation", "default", "options", "kind", "media_types", "schema"),
    [
        (bytes, MISSING, {}, "bytes", (), None),
        (bytes, MISSING, {"body_schema": {"type": "string"}}, "bytes", (), None),
        (str, MISSING, {}, "text", (), {"type": "string"}),
        (str, Body(media_type="text/csv"), {}, "text", ("text/csv",), {"type": "string"}),
        (str, MISSING, {"body_schema": {"type": "string", "maxLength": 3}}, "json", (), {
            "type": "string", "maxLength": 3,
        }),
        (dict, Form(), {}, "form", ("application/x-www-form-urlencoded", "multipart/form-data"), {"type": "object"}),
        (dict, MISSING, {"file_params": {"f": {"required": True}}}, "multipart", ("multipart/form-data",), {
            "type": "object",
        }),
        (dict, MISSING, {"consumes": ("application/json",)}, "json", ("application/json",), {"type": "object"}),
        (int, Body(ge=1), {}, "json", (), {"type": "integer", "minimum": 1}),
        (Any, MISSING, {}, "json", (), {}),
    ],
)  # fmt: skip
def test_kinds(
    annotation: Any, default: Any, options: dict[str, Any], kind: str, media_types: tuple[str, ...], schema: Any
) -> None:
    plan = body_of(annotation, default, **options)
    assert (plan.kind, plan.media_types, plan.schema) == (kind, media_types, schema)


def test_text_and_bytes_pass() -> None:
    assert body_of(bytes).decode(b"\xff") == b"\xff"
    assert body_of(str).decode("é".encode()) == "é"


def test_coerce_leaves_the_check_to_the_model() -> None:
    plan = body_of(Model, Body(coerce=True))
    assert plan.schema == {}
    assert plan.decode(b'{"a": "1"}') == Model(a=1)


# Explicit schemas


def test_an_explicit_schema_replaces_the_derived_one() -> None:
    schema = {"type": "object", "required": ["b"]}
    plan = body_of(Data, body_schema=schema)
    assert plan.schema == schema
    assert plan.decode(b'{"b": 1}') == {"b": 1}


@pytest.mark.parametrize(
    ("schema", "required"), [({"type": "object"}, False), ({"type": "object", "required": ["a"]}, True)]
)
def test_a_body_nobody_takes_is_checked(schema: dict[str, Any], required: bool) -> None:
    def handler() -> None: ...

    plan = compiled(handler, "POST", body_schema=schema)
    assert plan.arguments == ()
    assert plan.body is not None
    assert (plan.body.schema, plan.body.required, plan.body.name) == (schema, required, "")


def test_no_body_no_plan() -> None:
    def handler(q: int) -> None: ...

    assert compiled(handler, "POST").body is None


# Embedded bodies


def embedded(handler: Callable[..., Any]) -> BodyPlan:
    plan = compiled(handler, "POST")
    assert plan.body is not None
    assert all(kind in ("body_field", "parameter") for kind, _ in plan.arguments)
    return plan.body


def test_two_structured_parameters_are_members() -> None:
    def handler(user: Struct, q: int, data_: Data | None = None, span: Span = Span(1)) -> None: ...  # noqa: B008

    plan = embedded(handler)
    assert plan.fields == ("user", "data", "span")
    assert plan.schema is not None
    assert plan.schema["required"] == ["user"]
    check_schema(plan.schema)
    assert validate_json(plan.schema, b'{"user": {"userId": 1}, "data": null}') == []
    assert plan.required
    data = b'{"user": {"userId": 1}, "span": {"start": 2}, "more": 1}'
    built = plan.decode(data)
    assert {name: built[name] for name in plan.fields} == {"user": Struct(1), "data": None, "span": Span(2)}
    assert plan.decode(b'{"user": {"userId": 1}}')["span"] == Span(1)
    converted = plan.convert({"user": {"userId": "1"}})
    assert converted["user"] == Struct(1)
    assert [payload for kind, payload in compiled(handler, "POST").arguments if kind == "body_field"] == [
        "user",
        "data",
        "span",
    ]


def test_members_of_different_libraries() -> None:
    def handler(a: Struct, b: Model, c: Annotated[int, Body(ge=3)]) -> None: ...

    plan = embedded(handler)
    assert plan.decode(b'{"a": {"userId": 1}, "b": {"a": 2}, "c": 3}') == {"a": Struct(1), "b": Model(a=2), "c": 3}
    assert plan.schema is not None
    assert plan.schema["properties"]["c"] == {"type": "integer", "minimum": 3}
    with pytest.raises(Exception) as caught:  # noqa: PT011 - ours, private
        plan.decode(b'{"a": {"userId": 1}, "b": {}, "c": 3}')
    errors = plan.errors(caught.value)
    assert errors is not None
    assert [(error["type"], error["loc"], error["pointer"]) for error in errors] == [
        ("missing", ["body", "b", "a"], "/b/a")
    ]


def test_embed_makes_one_parameter_a_member() -> None:
    def handler(item: Struct = Body(embed=True, alias="the-item")) -> None: ...

    plan = embedded(handler)
    assert plan.fields == ("the-item",)
    assert plan.decode(b'{"the-item": {"userId": 1}}') == {"the-item": Struct(1)}


def test_an_absent_embedded_body_is_all_defaults() -> None:
    def handler(a: Struct | None, b: list[Data] = Body(default_factory=list)) -> None: ...

    plan = embedded(handler)
    assert not plan.required
    assert plan.default_factory is not None
    assert plan.default_factory() == {"a": None, "b": []}
    assert plan.default_factory()["b"] is not plan.default_factory()["b"]


def test_form_fields() -> None:
    def handler(name: str = Form(min_length=1), age: int = Form(0), q: str = Query("")) -> None: ...

    plan = embedded(handler)
    assert plan.kind == "form"
    assert plan.schema == {
        "type": "object",
        "properties": {"name": {"type": "string", "minLength": 1}, "age": {"type": "integer"}},
        "required": ["name"],
    }
    assert plan.convert({"name": "a", "age": "3"}) == {"name": "a", "age": 3}


def test_a_structured_form_is_the_whole_body() -> None:
    def handler(form: Annotated[Data, Form()]) -> None: ...

    plan = compiled(handler, "POST")
    assert plan.arguments == (("body", None),)
    assert plan.body is not None
    assert plan.body.kind == "form"
    assert plan.body.convert({"a": "1"}) == Data(1)


def test_constraints_of_annotated_types_reach_the_schema() -> None:
    @dataclasses.dataclass
    class Order:
        count: Annotated[int, at.Ge(1)]

    plan = body_of(Order)
    assert plan.schema is not None
    (fault,) = validate_json(plan.schema, b'{"count": 0}')
    assert fault["type"] == "greater_than_equal"


# Integers written as floats


@pytest.mark.parametrize(
    ("annotation", "text", "made"),
    [
        (int, b"1.0", 1),
        (list[int], b"[1e2]", [100]),
        (Struct, b'{"userId": 2.0}', Struct(2)),
        (Model, b'{"a": 2.0}', Model(a=2)),
        (Span, b'{"start": 2.0}', Span(2)),
        (float, b"1.0", 1.0),
        (int | float, b"1.0", 1.0),
        (int | str, b'"5"', "5"),
        (int | Literal["5"], b'"5"', "5"),
    ],
)
def test_typed_integers(annotation: Any, text: bytes, made: Any) -> None:
    plan = body_of(annotation)
    assert plan.schema is not None
    assert validate_json(plan.schema, text) == []
    built = plan.decode(text)
    assert built == made
    assert type(built) is type(made)


INTEGER = {"type": "integer"}


@pytest.mark.parametrize(
    ("schema", "text", "made"),
    [
        (INTEGER, b"1.0", "1"),
        ({"type": ["integer", "null"]}, b"1.0", "1"),
        ({"type": ["integer", "number"]}, b"1.0", "1.0"),
        ({"type": "number"}, b"1.0", "1.0"),
        ({"properties": {"a": INTEGER, "b": {"type": "number"}}}, b'{"a": 1.0, "b": 1.0}', "{'a': 1, 'b': 1.0}"),
        ({"items": INTEGER}, b"[1.0, 2E0]", "[1, 2]"),
        ({"prefixItems": [INTEGER], "items": {"type": "number"}}, b"[1.0, 2.0]", "[1, 2.0]"),
        ({"additionalProperties": INTEGER}, b'{"a": 1.0}', "{'a': 1}"),
        ({"anyOf": [INTEGER, {"type": "string"}]}, b"1.0", "1"),
        ({"$ref": "#/$defs/a~1b", "$defs": {"a/b": INTEGER}}, b"1.0", "1"),
        ({"items": {"$ref": "#"}, "type": ["integer", "array"]}, b"[[1.0]]", "[[1]]"),
        (INTEGER, b"1.5", "1.5"),
        (INTEGER, b"1", "1"),
    ],
)
def test_untyped_integers_follow_the_explicit_schema(schema: dict[str, Any], text: bytes, made: str) -> None:
    assert repr(body_of(Any, body_schema=schema).decode(text)) == made
