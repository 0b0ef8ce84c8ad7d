"""Applications as programs write them: bodies, with models of every family, and the handlers that take them."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any, NamedTuple, NotRequired, TypedDict

import msgspec
import pytest
from pydantic import BaseModel

from spikard import Response, Spikard
from spikard.errors import RouteError
from spikard.testing import TestClient

SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "price": {"type": "number", "exclusiveMinimum": 0},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["name", "price"],
}
ITEM = {"name": "Assam", "price": 4.5, "tags": ["hot"]}


@dataclass
class PlainItem:
    name: str
    price: float
    tags: list[str] | None = None


class ModelItem(BaseModel):
    name: str
    price: float
    tags: list[str] | None = None


class StructItem(msgspec.Struct):
    name: str
    price: float
    tags: list[str] | None = None


class DictItem(TypedDict):
    name: str
    price: float
    tags: NotRequired[list[str] | None]


class TupleItem(NamedTuple):
    name: str
    price: float
    tags: list[str] | None = None


class ConstructedItem:
    def __init__(self, name: str, price: float, tags: list[str] | None = None) -> None:
        self.name, self.price, self.tags = name, price, tags


class AnnotatedItem:
    name: str
    price: float
    tags: list[str] | None = None


class OpenItem:
    def __init__(self, **members: Any) -> None:
        self.__dict__.update(members)


class OtherItem:
    def __init__(self, name: str, price: dict[str, int], origin: str) -> None:
        self.name, self.price, self.origin = name, price, origin


class PickyItem:
    def __init__(self, name: str, price: float) -> None:
        if price > 100:
            raise ValueError("too expensive")
        self.name = name


class AbstractItem(ABC):
    name: str

    @abstractmethod
    def brew(self) -> None: ...


def plain(value: Any) -> Any:
    """The value as the suites compare it: a dict."""
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, msgspec.Struct):
        return msgspec.to_builtins(value)
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return value._asdict() if isinstance(value, tuple) and hasattr(value, "_asdict") else value


async def take_plain(body: PlainItem) -> Any:
    assert isinstance(body, PlainItem)
    return plain(body)


def take_model(body: ModelItem) -> Any:
    assert isinstance(body, ModelItem)
    return plain(body)


async def take_struct(body: StructItem) -> Any:
    assert isinstance(body, StructItem)
    return plain(body)


async def take_typed_dict(_body: DictItem) -> Any:
    return plain(_body)


async def take_tuple(body: TupleItem) -> Any:
    assert isinstance(body, TupleItem)
    return plain(body)


async def take_dict(body: dict[str, Any]) -> Any:
    return Response(content=body, status_code=201, headers={"Content-Type": "application/json"})


async def take_text(body: str) -> Any:
    return {"text": body}


async def take_body_and_header(body: StructItem, x_token: str) -> Any:
    return {"name": body.name, "token": x_token}


async def take_nothing() -> Any:
    return Response(status_code=204)


def application(handler: Callable[..., Any], body_schema: Any = None, parameter_schema: Any = None) -> Spikard:
    app = Spikard()
    app.register_route("POST", "/items", body_schema=body_schema, parameter_schema=parameter_schema, file_params=None)(
        handler
    )
    return app


HANDLERS = [take_plain, take_model, take_struct, take_typed_dict, take_tuple]


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.__name__)
async def test_a_body_becomes_the_model(handler: Callable[..., Any]) -> None:
    async with TestClient(application(handler, SCHEMA)) as client:
        response = await client.post("/items", json=ITEM)
        assert (response.status_code, response.json()) == (200, ITEM)


@pytest.mark.parametrize("handler", [*HANDLERS, take_dict], ids=lambda handler: handler.__name__)
async def test_the_schema_is_the_judge(handler: Callable[..., Any]) -> None:
    async with TestClient(application(handler, SCHEMA)) as client:
        response = await client.post("/items", json={"name": "", "price": -1})
        assert response.status_code == 422
        assert [error["loc"] for error in response.json()["errors"]] == [["body", "name"], ["body", "price"]]
        missing = await client.post("/items", json={"price": 1})
        assert missing.json()["errors"][0]["type"] == "missing"


async def test_a_model_that_knows_less_than_the_schema() -> None:
    schema = {**SCHEMA, "properties": {**SCHEMA["properties"], "origin": {"type": "string"}}}
    async with TestClient(application(take_plain, schema)) as client:
        response = await client.post("/items", json={**ITEM, "origin": "India"})
        assert response.status_code == 200
        assert response.json()["name"] == "Assam"


async def test_a_body_that_is_malformed() -> None:
    async with TestClient(application(take_dict, SCHEMA)) as client:
        response = await client.post("/items", data='{"name": ', headers={"Content-Type": "application/json"})
        assert response.status_code == 400
        assert response.json()["detail"] == "Invalid request format"


async def test_a_body_of_text() -> None:
    async with TestClient(application(take_text, {"type": "string"})) as client:
        assert (await client.post("/items", json="tea")).json() == {"text": "tea"}
        assert (await client.post("/items", json=1)).status_code == 422


async def test_a_raw_body_of_text() -> None:
    async with TestClient(application(take_text)) as client:
        response = await client.post("/items", content="plain tea", headers={"Content-Type": "text/plain"})
        assert response.json() == {"text": "plain tea"}


async def test_a_body_beside_a_header() -> None:
    schema = {
        "type": "object",
        "properties": {"x_token": {"type": "string", "source": "header"}},
        "required": ["x_token"],
    }
    async with TestClient(application(take_body_and_header, SCHEMA, schema)) as client:
        response = await client.post("/items", json=ITEM, headers={"x-token": "abc"})
        assert response.json() == {"name": "Assam", "token": "abc"}
        refused = await client.post("/items", json={"name": "Assam"})
        assert [error["loc"][0] for error in refused.json()["errors"]] == ["headers", "body"]


async def test_a_route_without_a_body_ignores_one() -> None:
    async with TestClient(application(take_nothing)) as client:
        assert (await client.post("/items")).status_code == 204
        assert (await client.post("/items", json={"any": "thing"})).status_code == 204
        assert (await client.post("/items", data="text", headers={"Content-Type": "text/plain"})).status_code == 204


async def test_an_absent_body_misses_its_fields() -> None:
    async with TestClient(application(take_dict, SCHEMA)) as client:
        response = await client.post("/items")
        assert response.status_code == 422
        assert response.json()["errors"][0]["type"] == "missing"


async def test_a_charset_that_json_cannot_have() -> None:
    async with TestClient(application(take_dict, SCHEMA)) as client:
        response = await client.post(
            "/items", content="{}".encode("utf-16"), headers={"Content-Type": "application/json; charset=utf-16"}
        )
        assert response.status_code == 415


async def test_a_media_type_of_json() -> None:
    async with TestClient(application(take_dict, SCHEMA)) as client:
        response = await client.post(
            "/items", content=b'{"name": "Assam", "price": 1}', headers={"content-type": "application/vnd.api+json"}
        )
        assert response.status_code == 201
        refused = await client.post("/items", content="<tea/>", headers={"Content-Type": "application/xml"})
        assert refused.status_code == 415


async def test_nested_objects_report_where_they_are_wrong() -> None:
    schema = {
        "type": "object",
        "properties": {
            "seller": {
                "type": "object",
                "properties": {
                    "address": {"type": "object", "properties": {"zip": {"type": "string", "minLength": 5}}}
                },
            },
            "lots": {"type": "array", "items": {"type": "integer"}, "minItems": 1},
        },
        "required": ["seller"],
    }
    async with TestClient(application(take_dict, schema)) as client:
        response = await client.post("/items", json={"seller": {"address": {"zip": "12"}}, "lots": [1, "x"]})
        assert [error["loc"] for error in response.json()["errors"]] == [
            ["body", "lots", "1"],
            ["body", "seller", "address", "zip"],
        ]


async def test_keys_that_are_no_names() -> None:
    Contact = TypedDict("Contact", {"contact.email": str, "class": NotRequired[str]})

    async def take(body: Contact) -> Any:
        return {"keys": sorted(body), "email": body["contact.email"]}

    schema = {"type": "object", "properties": {"contact.email": {"type": "string"}}, "required": ["contact.email"]}
    async with TestClient(application(take, schema)) as client:
        response = await client.post("/items", json={"contact.email": "ada@example.org"})
        assert response.json() == {"keys": ["contact.email"], "email": "ada@example.org"}


@pytest.mark.parametrize("model", [ConstructedItem, AnnotatedItem, OpenItem], ids=lambda model: model.__name__)
async def test_a_body_becomes_an_ordinary_class(model: Any) -> None:
    async def take(body: Any) -> Any:
        assert isinstance(body, model)
        return {name: getattr(body, name) for name in ITEM}

    take.__annotations__["body"] = model
    async with TestClient(application(take, SCHEMA)) as client:
        assert (await client.post("/items", json=ITEM)).json() == ITEM
        assert (await client.post("/items", json={"name": "Assam"})).status_code == 422


async def test_an_ordinary_class_inside_other_types() -> None:
    async def take(body: list[ConstructedItem]) -> Any:
        return [type(item).__name__ for item in body]

    async def take_optional(body: ConstructedItem | None = None) -> Any:
        return type(body).__name__

    async with TestClient(application(take, {"type": "array", "items": SCHEMA})) as client:
        assert (await client.post("/items", json=[ITEM])).json() == ["ConstructedItem"]
    async with TestClient(application(take_optional, {"anyOf": [SCHEMA, {"type": "null"}]})) as client:
        assert (await client.post("/items", json=ITEM)).json() == "ConstructedItem"


async def test_an_ordinary_class_that_wants_something_else() -> None:
    async def take(body: OtherItem) -> Any:
        return [body.name, body.price, body.origin]

    async with TestClient(application(take, SCHEMA)) as client:
        assert (await client.post("/items", json=ITEM)).json() == ["Assam", 4.5, None]


async def test_an_ordinary_class_that_cannot_be_made() -> None:
    async def take(body: AbstractItem) -> Any:
        return body

    async with TestClient(application(take, SCHEMA)) as client:
        assert (await client.post("/items", json=ITEM)).json() == ITEM


async def test_an_ordinary_class_may_refuse() -> None:
    async def take(body: PickyItem) -> Any:
        return body.name

    async with TestClient(application(take, SCHEMA)) as client:
        assert (await client.post("/items", json={"name": "Assam", "price": 4})).json() == "Assam"
        response = await client.post("/items", json={"name": "Assam", "price": 400})
    assert (response.status_code, response.json()["errors"][0]["type"]) == (422, "value_error")


def test_nothing_judges_an_ordinary_class_without_a_schema() -> None:
    async def take(body: ConstructedItem) -> Any:
        return body

    with pytest.raises(RouteError, match="'body': no body can become"):
        application(take)
