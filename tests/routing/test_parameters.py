"""Plans of single parameters: schema, default, delivery."""

import datetime as dt
import decimal
import enum
import uuid
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NewType

import annotated_types as at
import msgspec
import pydantic
import pytest

from spikard.params import MISSING, Cookie, Header, Query
from spikard.routing.handler_plan import HandlerPlan, ParameterPlan
from tests.routing.compiled import compiled, parameter


class Colour(enum.Enum):
    RED = "r"
    BLUE = "b"


class Level(enum.IntEnum):
    LOW = 1


@dataclass
class Area:
    width: int
    height: int = 1


Key = NewType("Key", int)
INT: dict[str, Any] = {"type": "integer"}
STR: dict[str, Any] = {"type": "string"}


def only(annotation: Any, default: Any = MISSING, **options: Any) -> ParameterPlan:
    """The plan of one query parameter `value`."""
    namespace: dict[str, Any] = {"annotation": annotation, "default": default}
    text = "" if default is MISSING else " = default"
    exec(f"def handler(value: annotation{text}): ...", namespace)
    return compiled(namespace["handler"], **options).parameters[0]


def declared(annotation: Any, entry: dict[str, Any], default: Any = MISSING, **more: Any) -> ParameterPlan:
    """The same under an explicit parameter schema."""
    return only(annotation, default, parameter_schema={"type": "object", "properties": {"value": entry}, **more})


@pytest.mark.parametrize(
    ("annotation", "schema", "typed", "converts"),
    [
        (Any, STR, False, False),
        (str, STR, False, False),
        (int, INT, False, False),
        (float, {"type": "number"}, False, False),
        (bool, {"type": "boolean"}, False, False),
        (int | None, INT, False, False),
        (Key, INT, False, False),
        (uuid.UUID, {"type": "string", "format": "uuid"}, True, False),
        (dt.date, {"type": "string", "format": "date"}, True, False),
        (dt.datetime | None, {"type": "string", "format": "date-time"}, True, False),
        (dt.time, {"type": "string", "format": "time"}, True, False),
        (dt.timedelta, {"type": "string", "format": "duration", "plainSeconds": True}, True, False),
        (decimal.Decimal, {"type": "string", "format": "decimal"}, True, False),
        (list[int], {"type": "array", "items": INT}, False, False),
        (list[int] | None, {"type": "array", "items": INT}, False, False),
        (list[uuid.UUID], {"type": "array", "items": {"type": "string", "format": "uuid"}}, True, False),
        (list[int | None], {"type": "array", "items": {"type": ["integer", "null"]}}, False, False),
        (set[int], {"type": "array", "items": INT}, False, True),
        (tuple[int, ...], {"type": "array", "items": INT}, False, True),
        (dict[str, int], {"type": "object", "additionalProperties": INT}, False, False),
        (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}, False, False),
        (Colour, {"title": "Colour", "type": "string", "enum": ["r", "b"]}, False, True),
        (Level, {"title": "Level", "type": "integer", "enum": [1]}, False, True),
        (
            list[Colour],
            {"type": "array", "items": {"title": "Colour", "type": "string", "enum": ["r", "b"]}},
            False,
            True,
        ),
        (Annotated[int, at.Ge(1), msgspec.Meta(le=9)], {"type": "integer", "minimum": 1, "maximum": 9}, False, False),
        (Annotated[int, Query(gt=0)], {"type": "integer", "exclusiveMinimum": 0}, False, False),
        (int | str, {"type": ["integer", "string"]}, False, False),
    ],
)
def test_from_annotations(annotation: Any, schema: dict[str, Any], typed: bool, converts: bool) -> None:
    plan = only(annotation)
    assert plan.schema == schema
    assert plan.typed is typed
    assert (plan.convert is not None) is converts


@pytest.mark.parametrize(
    ("annotation", "given", "made"),
    [
        (Colour, "r", Colour.RED),
        (Level, 1, Level.LOW),
        (list[Colour], ["r", "b"], [Colour.RED, Colour.BLUE]),
        (set[int], [1, 2, 1], {1, 2}),
        (tuple[int, ...], [1, 2], (1, 2)),
        (frozenset[uuid.UUID], [uuid.UUID(int=1)], frozenset({uuid.UUID(int=1)})),
        (Literal[1, "a"], "a", "a"),
        (Annotated[str, pydantic.AfterValidator(str.upper)], "a", "A"),
        (pydantic.PositiveInt, 3, 3),
    ],
)
def test_conversions(annotation: Any, given: Any, made: Any) -> None:
    plan = only(annotation)
    value = given if plan.convert is None else plan.convert(given)
    assert value == made
    assert type(value) is type(made)


def odd(value: int) -> bool:
    return value % 2 == 1


def never(value: str) -> str:
    raise ValueError("never good")


@pytest.mark.parametrize(
    ("annotation", "given", "text"),
    [
        (Annotated[int, at.Predicate(odd)], 2, "does not fulfil odd"),
        (Annotated[str, pydantic.AfterValidator(never)], "a", "^never good$"),
        (tuple[int, int], [1], "at least 2 items|List should have"),
        (Colour, "x", "not a valid Colour"),
    ],
)
def test_conversions_refuse_with_value_errors(annotation: Any, given: Any, text: str) -> None:
    convert = only(annotation).convert
    assert convert is not None
    with pytest.raises(ValueError, match=text):
        convert(given)


def test_predicates_let_good_values_pass() -> None:
    convert = only(Annotated[int, at.Predicate(odd)]).convert
    assert convert is not None
    assert convert(3) == 3


# Required and default


@pytest.mark.parametrize(
    ("annotation", "default", "required", "delivered"),
    [
        (int, MISSING, True, MISSING),
        (int | None, MISSING, False, MISSING),
        (int, 5, False, 5),
        (int, None, False, None),
        (int, Query(), True, MISSING),
        (int, Query(...), True, MISSING),
        (int, Query(7), False, 7),
        (int | None, Query(), False, MISSING),
        (Annotated[int, Query(7)], MISSING, False, 7),
        (Annotated[int, Query(7)], 8, False, 8),
        (int, Query(schema={"default": 9}), False, 9),
        (int | None, Query(None, schema={"default": 9}), False, 9),
        (Colour, Colour.RED, False, Colour.RED),
    ],
)
def test_defaults(annotation: Any, default: Any, required: bool, delivered: Any) -> None:
    plan = only(annotation, default)
    assert plan.required is required
    assert plan.default is delivered
    assert plan.default_factory is None


def test_default_factory() -> None:
    plan = only(int, Query(default_factory=lambda: 3))
    assert not plan.required
    assert plan.default is MISSING
    assert plan.default_factory is not None
    assert plan.default_factory() == 3


@pytest.mark.parametrize("default", [[1], {"a": [1]}, {1}])
def test_mutable_defaults_are_not_shared_between_requests(default: Any) -> None:
    for given in (default, Query(default), Query(schema={"default": default})):
        plan = only(Any, given)
        assert plan.default_factory is not None
        first, second = plan.default_factory(), plan.default_factory()
        assert first == second == default
        assert first is not second


# Names


@pytest.mark.parametrize(
    ("name", "default", "wire_name"),
    [
        ("x_token", Header(), "x-token"),
        ("_x_token_", Header(), "x-token"),
        ("X_Token", Header(), "x-token"),
        ("x_token", Header(convert_underscores=False), "x_token"),
        ("token", Header(alias="X-My_Token"), "x-my_token"),
        ("session_id", Cookie(), "session_id"),
        ("session", Cookie(alias="Session-Id"), "Session-Id"),
        ("_q", Query(), "q"),
        ("q", Query(alias="filter[q]"), "filter[q]"),
    ],
)
def test_wire_names(name: str, default: Any, wire_name: str) -> None:
    namespace: dict[str, Any] = {"default": default}
    exec(f"def handler({name}: str = default): ...", namespace)
    assert compiled(namespace["handler"]).parameters[0].wire_name == wire_name


@pytest.mark.parametrize(
    ("default", "secret"),
    [
        (Header(alias="Authorization"), True),
        (Header(alias="Cookie"), True),
        (Query(secret=True), True),
        (Query(format="password"), True),
        (Query(), False),
        (Header(), False),
        (Query(alias="authorization"), False),
    ],
)
def test_secrets(default: Any, secret: bool) -> None:
    assert only(str, default).secret is secret


def test_separator() -> None:
    assert only(list[int], Query(separator="|")).separator == "|"
    assert only(list[int], Query(style="spaceDelimited")).separator == " "
    assert only(list[int]).separator is None


# Path converters


@pytest.mark.parametrize(
    ("converter", "annotation", "schema", "typed"),
    [
        ("str", Any, STR, False),
        ("int", Any, INT, False),
        ("int", int, INT, False),
        ("float", Any, {"type": "number"}, False),
        ("bool", Any, {"type": "boolean"}, False),
        ("uuid", Any, {"type": "string", "format": "uuid"}, True),
        ("uuid", uuid.UUID, {"type": "string", "format": "uuid"}, True),
        ("uuid", str, {"type": "string", "format": "uuid"}, False),
        ("date", Any, {"type": "string", "format": "date"}, True),
        ("datetime", Any, {"type": "string", "format": "date-time"}, True),
        ("time", dt.time, {"type": "string", "format": "time"}, True),
        ("decimal", Any, {"type": "string", "format": "decimal"}, True),
        ("slug", str, {"type": "string", "pattern": "^[a-z0-9]+(?:-[a-z0-9]+)*$"}, False),
        ("path", Any, STR, False),
        ("int", Annotated[int, at.Ge(1)], {"type": "integer", "minimum": 1}, False),
        ("int", float, {"type": "number"}, False),
    ],
)
def test_converters(converter: str, annotation: Any, schema: dict[str, Any], typed: bool) -> None:
    plan = only(annotation, path=f"/{{value:{converter}}}")
    assert (plan.source, plan.schema, plan.typed, plan.required) == ("path", schema, typed, True)


def test_an_explicit_schema_is_merged_over_the_converter() -> None:
    schema = {"properties": {"value": {"source": "path", "uuidVersion": "4"}}}
    plan = only(Any, path="/{value:uuid}", parameter_schema=schema)
    assert plan.schema == {"type": "string", "format": "uuid", "uuidVersion": "4"}
    # With a bare schema and no annotation the JSON type is delivered: text.
    assert not plan.typed


# Explicit parameter schemas


def test_an_explicit_schema_replaces_the_derived_one() -> None:
    plan = declared(Annotated[int, at.Ge(5)], {"type": "integer", "maximum": 3, "source": "query"})
    assert plan.schema == {"type": "integer", "maximum": 3}


@pytest.mark.parametrize(
    ("source", "key", "wire_name"),
    [
        ("query", "q", "q"),
        ("header", "x_api_key", "x-api-key"),
        ("headers", "x_api_key", "x-api-key"),
        ("cookie", "session_id", "session_id"),
        ("cookies", "session_id", "session_id"),
        ("header", "X-Token", "x-token"),
        ("query", "class_", "class"),
        ("query", "filter[name]", "filter[name]"),
    ],
)
def test_sources_and_names(source: str, key: str, wire_name: str) -> None:
    def handler(**values: Any) -> None: ...

    plan = compiled(handler, parameter_schema={"properties": {key: {"type": "string", "source": source}}})
    (made,) = plan.parameters
    assert (made.source, made.wire_name) == (source.rstrip("s"), wire_name)
    assert made.name.isidentifier()


def test_an_alias_is_the_wire_name() -> None:
    plan = declared(str, {"type": "string", "source": "header", "alias": "X-Thing"})
    assert plan.wire_name == "x-thing"
    assert declared(str, {"type": "string", "source": "query", "alias": "ids[]"}).wire_name == "ids[]"


@pytest.mark.parametrize(
    ("entry", "more", "required"),
    [
        ({}, {"required": ["value"]}, True),
        ({}, {"required": []}, False),
        ({}, {}, False),
        ({"required": True}, {}, True),
        ({"required": False}, {"required": ["value"]}, False),
        ({"optional": True}, {"required": ["value"]}, False),
        ({"optional": False}, {"required": ["value"]}, True),
    ],
)
def test_required(entry: dict[str, Any], more: dict[str, Any], required: bool) -> None:
    # The schema is the judge, whatever the signature has.
    for default in (MISSING, None, 3):
        plan = declared(int | None, {"type": "integer", "source": "query", **entry}, default, **more)
        assert plan.required is required
        assert "required" not in plan.schema
        assert "optional" not in plan.schema


@pytest.mark.parametrize(
    ("annotation", "python_default", "schema_default", "delivered"),
    [
        (int, MISSING, 5, 5),
        (int | None, None, 5, 5),
        (int, 3, 5, 3),
        (dt.date, MISSING, "2024-01-02", dt.date(2024, 1, 2)),
        (Colour, MISSING, "b", Colour.BLUE),
        (Any, MISSING, "2024-01-02", "2024-01-02"),
        (int, MISSING, "no number", "no number"),
    ],
)
def test_schema_defaults(annotation: Any, python_default: Any, schema_default: Any, delivered: Any) -> None:
    plan = declared(annotation, {"source": "query", "default": schema_default}, python_default)
    assert plan.default == delivered
    assert type(plan.default) is type(delivered)


@pytest.mark.parametrize(
    ("annotation", "entry", "given", "made"),
    [
        # Formats the native side delivers need no help.
        (uuid.UUID, {"type": "string", "format": "uuid"}, None, None),
        # What the schema lacks, the annotation adds.
        (dt.date, {"type": "string"}, "2024-01-02", dt.date(2024, 1, 2)),
        (uuid.UUID, {"type": "string"}, "x", "x"),
        (str, {"type": "integer"}, 5, 5),
        (int, {"type": "string"}, "5", 5),
        (int, {"type": "string"}, "five", "five"),
        (float, {"type": "integer"}, 5, 5.0),
        (Colour, {"type": "string"}, "r", Colour.RED),
        (Colour, {"type": "string"}, "x", "x"),
        (list[int], {"type": "array", "items": {"type": "string"}}, ["1"], [1]),
        (Area, {"type": "object"}, {"width": 2}, Area(2)),
        (Area, {"type": "object"}, {"other": 2}, {"other": 2}),
    ],
)
def test_annotations_beside_a_schema_are_best_effort(
    annotation: Any, entry: dict[str, Any], given: Any, made: Any
) -> None:
    plan = declared(annotation, {**entry, "source": "query"})
    if given is None:
        assert plan.convert is None
        return
    assert plan.convert is not None
    value = plan.convert(given)
    assert value == made
    assert type(value) is type(made)


def test_separator_of_a_schema() -> None:
    plan = declared(list[int], {"type": "array", "items": INT, "source": "query", "separator": "|", "annotation": "x"})
    assert plan.separator == "|"
    assert plan.schema == {"type": "array", "items": INT}


def test_parameters_the_handler_does_not_take_are_checked() -> None:
    def handler() -> None: ...

    schema = {
        "properties": {"q": {"type": "integer", "source": "query"}, "id": {"type": "integer", "source": "path"}},
        "required": ["q"],
    }
    plan: HandlerPlan = compiled(handler, path="/{id}", parameter_schema=schema)
    assert plan.arguments == ()
    assert parameter(plan, "q").required
    assert parameter(plan, "id").schema == INT


def test_parameters_the_schema_does_not_name_follow_the_other_rules() -> None:
    def handler(a: int, b: int, body: dict[str, Any]) -> None: ...

    plan = compiled(handler, "POST", parameter_schema={"properties": {"a": {"type": "integer", "source": "cookie"}}})
    assert [(made.name, made.source, made.required) for made in plan.parameters] == [
        ("a", "cookie", False),
        ("b", "query", True),
    ]
    assert plan.arguments[2] == ("body", None)
