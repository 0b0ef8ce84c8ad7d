"""No type breaks the document; those with a name are described once."""

import datetime as dt
import decimal
import enum
import math
import pathlib
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, NotRequired, TypedDict, TypeVar

import attrs
import msgspec
import pydantic
import pytest

from spikard import Body, Form, Query, Response, Spikard, UploadFile
from tests.openapi.validity import checked, operation, resolved

T = TypeVar("T")
Grams = NewType("Grams", int)


class Colour(enum.Enum):
    GREEN = "green"
    BLACK = "black"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Node(msgspec.Struct):
    value: int
    children: list["Node"] = []


class Cat(msgspec.Struct, tag="cat"):
    lives: int


class Dog(msgspec.Struct, tag="dog"):
    bones: int


class Box(msgspec.Struct, Generic[T]):
    content: T


class Everything(msgspec.Struct):
    at: dt.datetime
    on: dt.date
    when: dt.time
    during: dt.timedelta
    price: decimal.Decimal
    key: uuid.UUID
    colour: Colour
    level: Level
    raw: bytes
    pet: Cat | Dog
    pair: tuple[int, str]
    several: set[int]
    by_name: dict[str, Node]
    anything: Any
    maybe: Colour | None = Colour.GREEN
    kind: Literal["a", "b"] = "a"
    path: pathlib.Path = pathlib.Path("/")
    grams: Annotated[Grams, msgspec.Meta(ge=1, description="How much.", examples=[5])] = Grams(5)


@dataclass
class Plain:
    name: str
    tags: list[str] = field(default_factory=list)
    inner: "Plain | None" = None


@attrs.define
class Attributed:
    name: str
    count: int = 0


class Address(TypedDict):
    street: str
    city: NotRequired[str]


class Point(NamedTuple):
    x: float
    y: float = 0.0


class Leaf(pydantic.BaseModel):
    name: str = pydantic.Field(min_length=1, description="Which.")
    price: decimal.Decimal = decimal.Decimal("1.5")


class Tree(pydantic.BaseModel):
    leaves: list[Leaf]
    under: "Tree | None" = None


class Page(pydantic.BaseModel, Generic[T]):
    items: list[T]
    at: dt.datetime | None = None


class Bird(pydantic.BaseModel):
    kind: Literal["bird"]


class Fish(pydantic.BaseModel):
    kind: Literal["fish"]


class Aquarium(pydantic.BaseModel):
    animal: Annotated[Bird | Fish, pydantic.Field(discriminator="kind")]


class Holder(msgspec.Struct):
    leaf: Leaf
    trees: list[Tree]


@dataclass
class Album:
    title: str
    cover: UploadFile


class Opaque:
    """Nobody can describe it."""


class Partly(msgspec.Struct):
    known: int
    unknown: Opaque | None = None


TYPES = [
    int, float, str, bool, bytes, None, Any, dt.datetime, dt.date, decimal.Decimal, uuid.UUID, Colour, Level,
    list[int], dict[str, Any], dict[str, Node], tuple[int, ...], tuple[str, str], set[Colour], Node, Everything,
    Cat | Dog, Node | None, Box[int], Box[Node], Box[list[Colour]], Plain, Attributed, Address, Point,
    Leaf, Tree, list[Tree], Page[Leaf], Page[int], Aquarium, Holder, Literal["a", 1], Grams, Partly, pathlib.Path,
    Annotated[int, msgspec.Meta(ge=3)], AsyncIterator[Node], tuple[Node, int], tuple[Node, Literal[201, 202]],
    list[Leaf | Node], Response, pydantic.HttpUrl, pydantic.SecretStr,
]  # fmt: skip


@pytest.mark.parametrize("returned", TYPES, ids=str)
def test_any_type_can_be_returned(returned: Any) -> None:
    app = Spikard()

    async def read() -> Any: ...

    read.__annotations__["return"] = returned
    app.get("/")(read)
    checked(app)


@pytest.mark.parametrize("returned", [Opaque, list[Opaque], dict[str, Opaque], Callable[[int], int]], ids=str)
def test_what_nobody_can_describe_may_be_anything(returned: Any) -> None:
    app = Spikard()

    async def read() -> Any: ...

    read.__annotations__["return"] = returned
    app.get("/")(read)
    content = operation(checked(app), "get", "/")["responses"]["200"]["content"]
    assert list(content) == ["application/json"]


BODIES = [one for one in TYPES if one not in (
    None, Response, AsyncIterator[Node], tuple[Node, int], tuple[Node, Literal[201, 202]], Partly, list[Leaf | Node],
    pydantic.HttpUrl, pydantic.SecretStr,
)]  # fmt: skip


@pytest.mark.parametrize("taken", BODIES, ids=str)
def test_any_type_can_be_a_body(taken: Any) -> None:
    app = Spikard()

    async def write(body: Any) -> None: ...

    write.__annotations__["body"] = taken
    app.post("/")(write)
    checked(app)


def test_a_named_type_is_described_once() -> None:
    app = Spikard()

    @app.post("/nodes")
    async def write(body: Node) -> Node: ...

    @app.get("/nodes")
    async def read() -> list[Node]: ...

    document = checked(app)
    reference = {"$ref": "#/components/schemas/Node"}
    write_operation = operation(document, "post", "/nodes")
    assert write_operation["requestBody"]["content"]["application/json"]["schema"] == reference
    assert write_operation["responses"]["200"]["content"]["application/json"]["schema"] == reference
    listed = operation(document, "get", "/nodes")["responses"]["200"]["content"]["application/json"]["schema"]
    assert listed == {"type": "array", "items": reference}
    assert document["components"]["schemas"]["Node"]["properties"]["children"]["items"] == reference


@pytest.mark.parametrize("model", [Node, Plain, Attributed, Address, Point, Leaf, Tree, Colour])
def test_every_family_has_components(model: type) -> None:
    app = Spikard()

    async def write(body: Any) -> None: ...

    write.__annotations__["body"] = model
    app.post("/")(write)
    document = checked(app)
    body = operation(document, "post", "/")["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": f"#/components/schemas/{model.__name__}"}
    assert resolved(document, body)["title"] == model.__name__


def made(type_name: str, **fields: type) -> type:
    return msgspec.defstruct(type_name, list(fields.items()), module=f"shop_{len(fields)}")


def test_types_of_one_name_stay_apart() -> None:
    app = Spikard()
    first, second = made("Item", name=str), made("Item", name=str, price=int)

    async def write(body: Any) -> Any: ...

    write.__annotations__.update({"body": first, "return": second})
    app.post("/")(write)
    document = checked(app)
    found = operation(document, "post", "/")
    body = found["requestBody"]["content"]["application/json"]["schema"]
    answer = found["responses"]["200"]["content"]["application/json"]["schema"]
    assert set(resolved(document, body)["properties"]) == {"name"}
    assert set(resolved(document, answer)["properties"]) == {"name", "price"}
    assert body["$ref"] == "#/components/schemas/Item"
    assert "shop_2" in answer["$ref"]


def test_a_type_named_like_a_problem_is_not_taken_for_it() -> None:
    app = Spikard()
    mine = made("ProblemDetails", worry=str)

    async def read(limit: int = 1) -> Any: ...

    read.__annotations__["return"] = mine
    app.get("/")(read)
    document = checked(app)
    responses = operation(document, "get", "/")["responses"]
    problem = resolved(document, responses["500"]["content"]["application/problem+json"]["schema"])
    assert "detail" in problem["properties"]
    answer = resolved(document, responses["200"]["content"]["application/json"]["schema"])
    assert set(answer["properties"]) == {"worry"}


def test_discriminators_lead_to_components() -> None:
    app = Spikard()

    @app.post("/")
    async def write(body: Aquarium) -> None: ...

    document = checked(app)
    animal = document["components"]["schemas"]["Aquarium"]["properties"]["animal"]
    assert animal["discriminator"]["mapping"] == {
        "bird": "#/components/schemas/Bird",
        "fish": "#/components/schemas/Fish",
    }


def test_an_explicit_schema_keeps_its_meaning() -> None:
    app = Spikard()
    schema = {
        "type": "object",
        "properties": {
            "parent": {"$ref": "#"},
            "shape": {"$ref": "#/$defs/shape"},
            "other": {"$ref": "#side"},
            "first": {"$ref": "#/properties/shape"},
            "$ref": {"type": "string"},
        },
        "$defs": {"shape": {"type": "object"}, "side": {"$anchor": "side", "type": "integer"}},
        "required": ["shape"],
    }

    async def write(body: dict) -> None: ...

    app.post("/", body_schema=schema)(write)
    document = checked(app)
    body = operation(document, "post", "/")["requestBody"]["content"]["application/json"]["schema"]
    properties = resolved(document, body)["properties"]
    assert properties["parent"] == body
    assert resolved(document, properties["shape"]) == {"type": "object"}
    assert resolved(document, properties["other"]) == {"type": "integer"}
    assert resolved(document, properties["first"]) == properties["shape"]
    assert properties["$ref"] == {"type": "string"}


def test_older_words_are_told_in_newer_ones() -> None:
    app = Spikard()
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string", "nullable": True}, "b": {"$ref": "#/definitions/b"}},
        "dependencies": {"a": ["b"]},
        "definitions": {"b": {"type": "integer"}},
    }

    async def write(body: dict) -> None: ...

    app.post("/", body_schema=schema)(write)
    document = checked(app)
    body = operation(document, "post", "/")["requestBody"]["content"]["application/json"]["schema"]
    assert body == {
        "type": "object",
        "properties": {"a": {"type": ["string", "null"]}, "b": {"$ref": "#/components/schemas/b"}},
        "dependentRequired": {"a": ["b"]},
    }


def test_definitions_of_one_name_stay_apart() -> None:
    app = Spikard()

    async def write(body: dict) -> None: ...

    def schema(kind: str) -> dict[str, Any]:
        return {"type": "object", "properties": {"x": {"$ref": "#/$defs/X"}}, "$defs": {"X": {"type": kind}}}

    for path, kind in (("/a", "string"), ("/b", "integer"), ("/c", "string")):
        app.post(path, body_schema=schema(kind))(write)
    document = checked(app)
    targets = [
        operation(document, "post", path)["requestBody"]["content"]["application/json"]["schema"]["properties"]["x"]
        for path in ("/a", "/b", "/c")
    ]
    assert [resolved(document, target)["type"] for target in targets] == ["string", "integer", "string"]
    assert targets[0] == targets[2]


def test_several_bodies_are_members_of_one() -> None:
    app = Spikard()

    @app.post("/")
    async def write(node: Node, leaf: Leaf | None = None, note: Annotated[str, Body()] = "none") -> None: ...

    body = operation(checked(app), "post", "/")["requestBody"]
    assert body["required"] is True
    schema = body["content"]["application/json"]["schema"]
    assert schema["required"] == ["node"]
    assert schema["properties"]["node"] == {"$ref": "#/components/schemas/Node"}
    assert schema["properties"]["note"] == {"type": "string", "default": "none"}


def test_forms_are_told_with_both_media_types() -> None:
    app = Spikard()

    @app.post("/")
    async def write(name: Annotated[str, Form()], grams: Annotated[int, Form(ge=1)] = 5) -> None: ...

    content = operation(checked(app), "post", "/")["requestBody"]["content"]
    assert list(content) == ["application/x-www-form-urlencoded", "multipart/form-data"]
    assert content["multipart/form-data"]["schema"] == {
        "type": "object",
        "properties": {"name": {"type": "string"}, "grams": {"type": "integer", "minimum": 1, "default": 5}},
        "required": ["name"],
    }


def test_declared_files_are_binary() -> None:
    app = Spikard()
    demands = {"avatar": {"required": True, "content_type": ["image/png", "image/jpeg"], "max_size": 1000}}

    async def write(body: dict) -> None: ...

    app.post(
        "/",
        body_schema={"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
        parameter_schema=None,
        file_params=demands,
    )(write)
    content = operation(checked(app), "post", "/")["requestBody"]["content"]["multipart/form-data"]
    assert content["schema"]["properties"]["avatar"]["format"] == "binary"
    assert content["schema"]["required"] == ["name", "avatar"]
    assert content["encoding"] == {"avatar": {"contentType": "image/png, image/jpeg"}}


def test_defaults_that_have_no_form_are_left_out() -> None:
    class Odd(msgspec.Struct):
        most: float = math.inf
        at: dt.datetime = dt.datetime(2020, 1, 1)  # noqa: DTZ001
        since: dt.datetime = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)

    app = Spikard()

    local, day = dt.datetime(2020, 1, 1), dt.date(2020, 1, 1)  # noqa: DTZ001

    async def write(body: Any, at: dt.datetime = local, on: dt.date = day) -> None: ...

    write.__annotations__["body"] = Odd
    app.post("/")(write)
    document = checked(app)
    properties = document["components"]["schemas"]["Odd"]["properties"]
    assert [properties[name].get("default") for name in ("most", "at", "since")] == [None, None, "2020-01-01T00:00:00Z"]
    parameters = operation(document, "post", "/")["parameters"]
    assert [one["schema"].get("default") for one in parameters] == [None, "2020-01-01"]


def test_uploads_are_binary() -> None:
    app = Spikard()

    @app.post("/one")
    async def one(avatar: UploadFile) -> str:
        return avatar.filename

    @app.post("/many")
    async def many(pages: list[UploadFile], title: Annotated[str, Form()] = "none") -> int:
        return len(pages)

    @app.post("/typed")
    async def typed(body: Album) -> str:
        return body.title

    document = checked(app)

    def schema(path: str) -> dict[str, Any]:
        content = operation(document, "post", path)["requestBody"]["content"]
        found: dict[str, Any] = content["multipart/form-data"]["schema"]
        return found

    binary = {"type": "string", "format": "binary"}
    assert schema("/one") == {"type": "object", "properties": {"avatar": binary}, "required": ["avatar"]}
    assert schema("/many")["properties"]["pages"] == {"type": "array", "items": binary}
    assert schema("/many")["properties"]["title"] == {"type": "string", "default": "none"}
    cover = resolved(document, schema("/typed"))["properties"]["cover"]
    assert cover["format"] == "binary"


def test_a_query_model_is_told_as_parameters() -> None:
    class Filter(msgspec.Struct):
        limit: int = 10
        colour: Colour | None = None

    app = Spikard()

    async def read(filter: Any) -> None: ...  # noqa: A002

    read.__annotations__["filter"] = Annotated[Filter, Query()]
    app.get("/")(read)
    parameters = operation(checked(app), "get", "/")["parameters"]
    assert [(one["name"], one["schema"].get("default")) for one in parameters] == [("limit", 10), ("colour", None)]
