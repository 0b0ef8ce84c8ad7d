"""What libraries raise, as items of a 422: every phrase of msgspec that is read, and pydantic's kinds."""

import datetime as dt
import decimal
import enum
import uuid
from typing import Annotated, Any, Literal

import msgspec
import pydantic
import pytest

from spikard.exceptions import ErrorType
from spikard.routing.faults import FieldError, body_faults, faults_of

Meta = msgspec.Meta


class Closed(msgspec.Struct, forbid_unknown_fields=True):
    a: int = 0


class Colour(enum.Enum):
    RED = "r"


PHRASES: list[tuple[Any, Any, str, dict[str, Any] | None, str]] = [
    (int, "x", "int_parsing", None, "Input should be a valid integer, unable to parse string as an integer"),
    (int, 1.5, "int_parsing", None, "Input should be a valid integer, unable to parse string as an integer"),
    (float, "x", "float_parsing", None, "Input should be a valid number, unable to parse string as a number"),
    (bool, 1, "bool_parsing", None, "Input should be a valid boolean, unable to interpret input"),
    (str, 1, "string_type", None, "Input should be a valid string"),
    (list[int], 1, "list_type", None, "Input should be a valid list"),
    (dict[str, int], 1, "dict_type", None, "Input should be a valid dictionary"),
    (None, 1, "null_type", None, "Input should be a valid null"),
    (Annotated[int, Meta(ge=3)], 1, "greater_than_equal", {"ge": 3}, "Input should be greater than or equal to 3"),
    (Annotated[int, Meta(le=3)], 4, "less_than_equal", {"le": 3}, "Input should be less than or equal to 3"),
    (Annotated[float, Meta(gt=0.5)], 0.5, "greater_than", {"gt": 0.5}, "Input should be greater than 0.5"),
    (Annotated[float, Meta(lt=0.5)], 0.5, "less_than", {"lt": 0.5}, "Input should be less than 0.5"),
    (Annotated[int, Meta(multiple_of=3)], 4, "multiple_of", {"multiple_of": 3}, "Input should be a multiple of 3"),
    (Annotated[str, Meta(min_length=2)], "", "string_too_short", {"min_length": 2},
     "String should have at least 2 characters"),
    (Annotated[str, Meta(max_length=1)], "ab", "string_too_long", {"max_length": 1},
     "String should have at most 1 character"),
    (Annotated[str, Meta(pattern="^a")], "b", "string_pattern_mismatch", {"pattern": "^a"},
     "String should match pattern '^a'"),
    (Annotated[list[int], Meta(min_length=1)], [], "too_short", {"min_length": 1},
     "List should have at least 1 item after validation"),
    (Annotated[list[int], Meta(max_length=0)], [1], "too_long", {"max_length": 0},
     "List should have at most 0 items after validation"),
    (Annotated[dict[str, int], Meta(min_length=1)], {}, "min_properties", {"min_properties": 1},
     "Object must have at least 1 properties"),
    (Colour, "x", "enum", None, "Input should be one of the values of the enumeration"),
    (Literal["a"], "x", "enum", None, "Input should be one of the values of the enumeration"),
    (uuid.UUID, "x", "uuid_parsing", None, "Input should be a valid UUID"),
    (dt.date, "x", "date_parsing", None, "Input should be a valid date"),
    (dt.datetime, "x", "datetime_parsing", None, "Input should be a valid datetime"),
    (dt.time, "x", "time_parsing", None, "Input should be a valid time"),
    (dt.timedelta, "x", "time_delta_parsing", None, "Input should be a valid duration"),
    (decimal.Decimal, "x", "decimal_parsing", None, "Input should be a valid decimal"),
    (bytes, "*", "string_format", None, "Invalid base64 format"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("annotation", "value", "kind", "ctx", "message"), PHRASES, ids=[str(row[0]) for row in PHRASES]
)
def test_phrases(annotation: Any, value: Any, kind: str, ctx: dict[str, Any] | None, message: str) -> None:
    (fault,) = _faults({"x": [value]}, msgspec.defstruct("Holder", [("x", list[annotation])]))
    assert fault["type"] == kind
    assert fault["loc"] == ["body", "x", "0"]
    assert fault["pointer"] == "/x/0"
    assert fault["msg"] == message
    assert {name: value for name, value in fault.get("ctx", {}).items() if name != "format"} == (ctx or {})
    assert ErrorType(fault["type"])


def test_unknown_and_missing_fields() -> None:
    assert _faults({"b": 1}, Closed) == [
        {
            "type": "extra_forbidden",
            "loc": ["body", "b"],
            "msg": "Additional properties are not allowed",
            "ctx": {"additional_properties": False, "unexpected_field": "b"},
            "pointer": "/b",
        }
    ]


def test_keys_of_mappings_have_no_name() -> None:
    (fault,) = _faults({"some/key": "x"}, dict[str, int])
    assert fault["loc"] == ["body"]


def test_pointers_are_escaped() -> None:
    (fault,) = body_faults(FieldError("a/b~c", ValueError("no"))) or []
    assert fault["pointer"] == "/a~1b~0c"


def test_places_outside_the_body_have_no_pointer() -> None:
    (fault,) = faults_of(ValueError("no"), ("query", "q")) or []
    assert fault == {
        "type": "value_error",
        "loc": ["query", "q"],
        "msg": "Value error, no",
        "ctx": {"error": "no"},
    }


def test_assertions() -> None:
    (fault,) = body_faults(AssertionError("odd")) or []
    assert (fault["type"], fault["msg"]) == ("assertion_error", "Assertion failed, odd")


@pytest.mark.parametrize("error", [RuntimeError("x"), TypeError("x"), KeyError("x"), msgspec.DecodeError("x")])
def test_bugs_are_no_faults(error: Exception) -> None:
    assert body_faults(error) is None


class Model(pydantic.BaseModel):
    model_config = {"extra": "forbid"}
    a: Any = None
    i: int = 0
    items: list[int] = pydantic.Field([], min_length=0, max_length=2)
    kind: Literal["x", "y"] = "x"
    text: str = pydantic.Field("ab", min_length=2, pattern="^a")
    when: dt.datetime | None = None
    key: uuid.UUID | None = None
    inner: "Model | None" = None

    @pydantic.field_validator("a")
    @classmethod
    def check(cls, value: Any) -> Any:
        assert value != "assert", "asserted"
        if value == "raise":
            raise ValueError("raised")
        return value


@pytest.mark.parametrize(
    ("document", "kind", "loc", "has_input"),
    [
        ({"i": "x"}, "int_parsing", ["body", "i"], True),
        ({"i": 1.5}, "int_parsing", ["body", "i"], True),
        ({"i": None}, "int_parsing", ["body", "i"], True),
        ({"items": [1, "x"]}, "int_parsing", ["body", "items", "1"], True),
        ({"items": {}}, "list_type", ["body", "items"], True),
        ({"items": [1, 2, 3]}, "too_long", ["body", "items"], True),
        ({"kind": "z"}, "enum", ["body", "kind"], True),
        ({"text": "a"}, "string_too_short", ["body", "text"], True),
        ({"text": "bb"}, "string_pattern_mismatch", ["body", "text"], True),
        ({"text": 3}, "string_type", ["body", "text"], True),
        ({"when": "x"}, "datetime_parsing", ["body", "when"], True),
        ({"key": "x"}, "uuid_parsing", ["body", "key"], True),
        ({"more": 1}, "extra_forbidden", ["body", "more"], True),
        ({"inner": 3}, "dict_type", ["body", "inner"], True),
        ({"inner": {"more": 1}}, "extra_forbidden", ["body", "inner", "more"], True),
        ({"a": "raise"}, "value_error", ["body", "a"], True),
        ({"a": "assert"}, "assertion_error", ["body", "a"], True),
        ({"i": "x" * 2000}, "int_parsing", ["body", "i"], False),
    ],
)
def test_pydantic(document: Any, kind: str, loc: list[str], has_input: bool) -> None:
    with pytest.raises(pydantic.ValidationError) as caught:
        Model.model_validate(document)
    (fault,) = body_faults(caught.value) or []
    assert (fault["type"], fault["loc"]) == (kind, loc)
    assert ErrorType(fault["type"])
    assert ("input" in fault) is has_input
    assert "url" not in fault
    msgspec.json.encode(fault)


def test_pydantic_context_is_plain() -> None:
    with pytest.raises(pydantic.ValidationError) as caught:
        Model.model_validate({"a": "raise"})
    (fault,) = body_faults(caught.value) or []
    assert fault["msg"] == "Value error, raised"
    assert fault["ctx"] == {"error": "raised"}
    assert list(fault) == ["type", "loc", "msg", "input", "ctx", "pointer"]


def _faults(document: Any, annotation: Any) -> list[dict[str, Any]]:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.json.decode(msgspec.json.encode(document), type=annotation)
    return body_faults(caught.value) or []
