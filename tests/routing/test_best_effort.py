"""Bodies that an explicit schema lets through and their annotation cannot hold."""

import dataclasses
import datetime as dt
from typing import Any, NamedTuple, TypedDict

import attrs
import msgspec
import pydantic
import pytest

from spikard import Body
from tests.routing.compiled import compiled

SCHEMA = {"type": "object"}


@dataclasses.dataclass
class Data:
    name: str
    price: str
    day: dt.date | None = None


class Struct(msgspec.Struct):
    name: str
    price: str
    day: dt.date | None = None


class Model(pydantic.BaseModel):
    name: str
    price: str
    day: dt.date | None = None


class Tuple(NamedTuple):
    name: str
    price: str
    day: dt.date | None = None


@attrs.define
class Attrs:
    name: str
    price: str
    day: dt.date | None = None


class Dict(TypedDict):
    name: str
    price: str


@dataclasses.dataclass
class Shop:
    items: list[Data]
    owner: Data | None = None


@dataclasses.dataclass
class Careful:
    name: str

    def __post_init__(self) -> None:
        if self.name == "bad":
            raise ValueError("a bad name")


class CarefulModel(pydantic.BaseModel):
    name: str

    @pydantic.field_validator("name")
    @classmethod
    def check(cls, name: str) -> str:
        if name == "bad":
            raise ValueError("a bad name")
        return name


def decoded(annotation: Any, document: Any) -> Any:
    def handler(body: Any) -> None: ...

    handler.__annotations__["body"] = annotation
    plan = compiled(handler, "POST", body_schema=SCHEMA).body
    assert plan is not None
    assert plan.schema == SCHEMA
    data = msgspec.json.encode(document)
    result = plan.decode(data)
    assert plan.convert(msgspec.json.decode(data)) == result
    return result


@pytest.mark.parametrize("cls", [Data, Struct, Model, Tuple, Attrs])
def test_values_of_other_types_are_held_as_they_came(cls: Any) -> None:
    result = decoded(cls, {"name": "a", "price": 1.5, "day": "2024-01-02", "more": True})
    assert isinstance(result, cls)
    assert (result.name, result.price, result.day) == ("a", 1.5, dt.date(2024, 1, 2))


@pytest.mark.parametrize("cls", [Data, Struct, Model, Tuple, Attrs])
def test_what_is_missing_is_none(cls: Any) -> None:
    result = decoded(cls, {"name": "a"})
    assert isinstance(result, cls)
    assert (result.name, result.price, result.day) == ("a", None, None)


@pytest.mark.parametrize("cls", [Data, Struct, Model, Tuple, Attrs, dict[str, int], list[int], int])
def test_what_has_nothing_in_common_is_delivered_plain(cls: Any) -> None:
    assert decoded(cls, {"other": "x"}) == {"other": "x"}


def test_typed_dicts_keep_everything() -> None:
    assert decoded(Dict, {"name": 1, "more": 2}) == {"name": 1, "more": 2}


def test_the_parts_are_built_one_by_one() -> None:
    result = decoded(Shop, {"items": [{"name": "a", "price": "1"}, {"name": "b", "price": 2}], "owner": {"name": 3}})
    assert result == Shop([Data("a", "1"), Data("b", 2)], Data(3, None))  # type: ignore[arg-type]


@pytest.mark.parametrize("cls", [Careful, CarefulModel])
def test_refusals_of_the_developer_stand(cls: Any) -> None:
    def handler(body: Any) -> None: ...

    handler.__annotations__["body"] = cls
    plan = compiled(handler, "POST", body_schema=SCHEMA).body
    assert plan is not None
    assert plan.decode(b'{"name": "good"}').name == "good"
    with pytest.raises(ValueError, match="a bad name") as caught:
        plan.decode(b'{"name": "bad"}')
    faults = plan.errors(caught.value)
    assert faults is not None
    assert [fault["type"] for fault in faults] == ["value_error"]


def test_members_of_an_embedded_body() -> None:
    def handler(first: Data = Body(), second: Data = Body()) -> None: ...

    plan = compiled(handler, "POST", body_schema=SCHEMA).body
    assert plan is not None
    result = plan.decode(b'{"first": {"name": 1}, "second": {"name": "b", "price": "2"}}')
    assert result == {"first": Data(1, None), "second": Data("b", "2")}  # type: ignore[arg-type]
