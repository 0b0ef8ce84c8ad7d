"""JSON bodies: checked before Python runs, built as what the handler asks for."""

import dataclasses
import datetime as dt
import json
import uuid
from typing import Annotated, Any, NamedTuple, NotRequired, TypedDict

import attrs
import msgspec
import pydantic
import pytest

from spikard import Body, Request, ServerConfig, Spikard
from tests.conftest import Serve

GOOD = {"name": "Ada", "age": 36, "tags": ["a"], "home": {"city": "London"}}
PROBLEM = "application/problem+json"


class HomeStruct(msgspec.Struct):
    city: str


class PersonStruct(msgspec.Struct):
    name: Annotated[str, msgspec.Meta(min_length=2)]
    age: Annotated[int, msgspec.Meta(ge=0, le=150)]
    home: HomeStruct
    tags: list[str] = []


@dataclasses.dataclass
class HomeData:
    city: str


@dataclasses.dataclass
class PersonData:
    name: str
    age: int
    home: HomeData
    tags: list[str] = dataclasses.field(default_factory=list)


class HomeDict(TypedDict):
    city: str


class PersonDict(TypedDict):
    name: str
    age: int
    home: HomeDict
    tags: NotRequired[list[str]]


class HomeModel(pydantic.BaseModel):
    city: str


class PersonModel(pydantic.BaseModel):
    name: str = pydantic.Field(min_length=2)
    age: int = pydantic.Field(ge=0, le=150)
    home: HomeModel
    tags: list[str] = []


class PersonTuple(NamedTuple):
    name: str
    age: int
    home: HomeData
    tags: list[str] = []  # noqa: RUF012 - written as users write it


@attrs.define
class PersonAttrs:
    name: str
    age: int
    home: HomeData
    tags: list[str] = attrs.field(factory=list)


TYPES = [PersonStruct, PersonData, PersonDict, PersonModel, PersonTuple, PersonAttrs]


def posting(annotation: Any, **options: Any) -> tuple[Spikard, list]:
    app, calls = Spikard(), []

    async def handler(body):
        calls.append(body)

    handler.__annotations__["body"] = annotation
    app.post("/", **options)(handler)
    return app, calls


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__name__)
def test_structured_bodies_are_built(serve: Serve, kind: Any) -> None:
    app, calls = posting(kind)
    response = serve(app).client.post("/", json=GOOD)
    assert response.status_code == 200, response.text
    (person,) = calls
    if kind is PersonDict:
        assert person == GOOD
    else:
        assert isinstance(person, kind)
        assert (person.name, person.age, person.tags, person.home.city) == ("Ada", 36, ["a"], "London")


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__name__)
def test_every_fault_of_a_body_is_reported(serve: Serve, kind: Any) -> None:
    app, calls = posting(kind)
    response = serve(app).client.post("/", json={"age": "36", "tags": ["a", 1], "home": {}})
    assert response.status_code == 422
    assert response.headers["content-type"] == PROBLEM
    document = response.json()
    assert document["detail"] == "4 validation errors in request"
    assert [(error["type"], error["loc"]) for error in document["errors"]] == [
        ("int_parsing", ["body", "age"]),
        ("missing", ["body", "home", "city"]),
        ("missing", ["body", "name"]),
        ("string_type", ["body", "tags", "1"]),
    ]
    assert document["errors"][0]["input"] == "36"
    assert document["errors"][3]["pointer"] == "/tags/1"
    assert calls == []


@pytest.mark.parametrize("kind", [PersonStruct, PersonModel], ids=lambda kind: kind.__name__)
def test_constraints_are_checked(serve: Serve, kind: Any) -> None:
    app, calls = posting(kind)
    response = serve(app).client.post("/", json=GOOD | {"name": "A", "age": 200})
    assert [(error["type"], error["ctx"]) for error in response.json()["errors"]] == [
        ("less_than_equal", {"le": 150}),
        ("string_too_short", {"min_length": 2}),
    ]
    assert calls == []


@pytest.mark.parametrize(
    ("annotation", "document"),
    [
        (dict, {"a": [1, 2.5, None, True, "x"]}),
        (dict[str, Any], {"a": {"b": {}}}),
        (dict[str, int], {"a": 1}),
        (list[int], [1, 2, 3]),
        (list, [1, "a"]),
        (list[PersonDict], [GOOD]),
        (Any, "text"),
        (Any, None),
        (int | None, None),
        (str, "text"),
        (int, 3),
        (dict, {"big": 2**70, "float": 1e300, "neg": -0.5}),
    ],
    ids=str,
)
def test_plain_bodies_arrive_as_they_are(serve: Serve, annotation: Any, document: Any) -> None:
    app, calls = posting(annotation)
    client = serve(app).client
    content = json.dumps(document).encode()
    response = client.post("/", content=content, headers={"content-type": "application/json"})
    assert response.status_code == 200, response.text
    assert calls == [document]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"[]", "dict_type"),
        (b"null", "dict_type"),
        (b'"x"', "dict_type"),
        (b"", "missing"),
    ],
)
def test_a_body_of_another_kind_is_a_422(serve: Serve, content: bytes, kind: str) -> None:
    app, calls = posting(PersonStruct)
    response = serve(app).client.post("/", content=content, headers={"content-type": "application/json"})
    assert response.status_code == 422
    assert [(error["type"], error["loc"]) for error in response.json()["errors"]] == [(kind, ["body"])]
    assert calls == []


@pytest.mark.parametrize("content", [b"{", b'{"a": 1} x', b"{'a': 1}", b'{"a": NaN}', b"\xff\xfe", b'{"a": 01}'])
@pytest.mark.parametrize("annotation", [PersonStruct, dict], ids=["struct", "dict"])
def test_malformed_json_is_a_400(serve: Serve, annotation: Any, content: bytes) -> None:
    app, calls = posting(annotation)
    response = serve(app).client.post("/", content=content, headers={"content-type": "application/json"})
    assert response.status_code == 400
    assert response.headers["content-type"] == PROBLEM
    document = response.json()
    assert document["detail"] == "Invalid request format"
    assert document["type"].endswith("/invalid-json")
    assert document["errors"][0]["type"] == "json_invalid"
    assert calls == []


def test_a_byte_order_mark_is_ignored(serve: Serve) -> None:
    app, calls = posting(dict)
    assert serve(app).client.post("/", content=b'\xef\xbb\xbf{"a":1}').status_code == 200
    assert calls == [{"a": 1}]


def test_json_nested_too_deeply_is_a_400(serve: Serve) -> None:
    app, calls = posting(Any)
    client = serve(app).client
    assert client.post("/", content=b"[" * 64 + b"]" * 64).status_code == 200
    response = client.post("/", content=b"[" * 65 + b"]" * 65)
    assert response.status_code == 400
    assert response.json()["detail"] == "Request body exceeds maximum nesting depth of 64"
    assert client.post("/", content=b"[" * 500_000).status_code == 400
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("media_type", "status"),
    [
        (None, 200),
        ("application/json", 200),
        ("APPLICATION/JSON; charset=UTF-8", 200),
        ("application/vnd.api+json", 200),
        ("application/json; charset=utf-16", 415),
        ("text/plain", 415),
        ("application/xml", 415),
    ],
)
def test_media_types(serve: Serve, media_type: str | None, status: int) -> None:
    app, calls = posting(PersonStruct)
    headers = {"content-type": media_type} if media_type else {}
    response = serve(app).client.post("/", content=msgspec.json.encode(GOOD), headers=headers)
    assert response.status_code == status, response.text
    assert len(calls) == (1 if status == 200 else 0)
    if status == 415:
        expected = (
            "Unsupported charset 'utf-16' for JSON. Only UTF-8 is supported."
            if "utf-16" in str(media_type)
            else "Unsupported media type"
        )
        assert response.json()["detail"] == expected


def test_raw_bodies(serve: Serve) -> None:
    app, calls = posting(bytes)
    client = serve(app).client
    client.post("/", content=b"\x00\xff", headers={"content-type": "application/x-thing"})
    assert calls == [b"\x00\xff"]


def test_text_bodies(serve: Serve) -> None:
    app, calls = posting(str)
    client = serve(app).client
    client.post("/", content="grün".encode(), headers={"content-type": "text/plain"})
    assert calls == ["grün"]


def test_an_optional_body_may_be_absent(serve: Serve) -> None:
    app, calls = Spikard(), []

    @app.post("/")
    async def handler(body: PersonStruct | None = None) -> None:
        calls.append(body)

    client = serve(app).client
    assert client.post("/").status_code == 200
    assert client.post("/", content=b"null").status_code == 200
    assert client.post("/", json=GOOD).status_code == 200
    assert calls[:2] == [None, None]
    assert calls[2].name == "Ada"


def test_several_bodies_are_embedded(serve: Serve) -> None:
    app, calls = Spikard(), []

    @app.post("/")
    async def handler(person: PersonStruct, home: HomeData) -> None:
        calls.append((person, home))

    client = serve(app).client
    assert client.post("/", json={"person": GOOD, "home": {"city": "Rome"}}).status_code == 200
    assert (calls[0][0].name, calls[0][1].city) == ("Ada", "Rome")
    response = client.post("/", json={"person": GOOD | {"age": -1}})
    assert [(error["type"], error["loc"]) for error in response.json()["errors"]] == [
        ("missing", ["body", "home"]),
        ("greater_than_equal", ["body", "person", "age"]),
    ]


def test_one_embedded_body(serve: Serve) -> None:
    app, calls = Spikard(), []

    @app.post("/")
    async def handler(home: Annotated[HomeData, Body(embed=True)]) -> None:
        calls.append(home)

    assert serve(app).client.post("/", json={"home": {"city": "Rome"}}).status_code == 200
    assert calls == [HomeData("Rome")]


def test_parameters_and_body_faults_come_together(serve: Serve) -> None:
    app = Spikard()

    @app.put("/{item_id}")
    async def handler(item_id: int, person: PersonStruct, q: int = 0) -> None: ...

    response = serve(app).client.put("/x?q=y", json={})
    assert [error["loc"] for error in response.json()["errors"]] == [
        ["path", "item_id"],
        ["query", "q"],
        ["body", "age"],
        ["body", "home"],
        ["body", "name"],
    ]


def test_an_explicit_schema_is_the_judge(serve: Serve) -> None:
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
        "required": ["name"],
        "additionalProperties": False,
    }
    app, calls = posting(PersonData, body_schema=schema)
    client = serve(app).client
    assert client.post("/", json={"name": "Ada"}).status_code == 200
    assert [vars(call) for call in calls] == [{"name": "Ada", "age": None, "home": None, "tags": []}]
    response = client.post("/", json={"name": 1, "more": 2})
    assert [(error["type"], error["loc"]) for error in response.json()["errors"]] == [
        ("extra_forbidden", ["body", "more"]),
        ("string_type", ["body", "name"]),
    ]
    assert len(calls) == 1


def test_pydantic_validators_speak_our_language(serve: Serve) -> None:
    class Event(pydantic.BaseModel):
        start: dt.date
        end: dt.date
        key: uuid.UUID

        @pydantic.model_validator(mode="after")
        def ordered(self) -> "Event":
            if self.end < self.start:
                raise ValueError("end before start")
            return self

    app, calls = posting(Event)
    client = serve(app).client
    key = uuid.uuid4()
    good = {"start": "2024-01-01", "end": "2024-01-02", "key": str(key)}
    assert client.post("/", json=good).status_code == 200
    assert calls[0].key == key
    response = client.post("/", json=good | {"end": "2023-01-01"})
    (error,) = response.json()["errors"]
    assert (error["type"], error["loc"][0], error["msg"]) == ("value_error", "body", "Value error, end before start")
    response = client.post("/", json=good | {"key": "x"})
    assert [(error["type"], error["loc"]) for error in response.json()["errors"]] == [("uuid_parsing", ["body", "key"])]


def test_a_body_nobody_asked_for_is_ignored(serve: Serve) -> None:
    app = Spikard()

    @app.post("/")
    async def handler() -> str:
        return "ok"

    client = serve(app).client
    for _ in range(2):
        assert client.post("/", content=b"x" * 50_000, headers={"content-type": "text/x"}).json() == "ok"


def test_the_body_through_the_request(serve: Serve) -> None:
    app = Spikard()

    @app.post("/")
    async def handler(request: Request) -> list:
        plain = request.json()["a"]
        return [plain, (await request.json())["a"], (await request.body()).decode(), await request.text()]

    response = serve(app).client.post("/", content=b'{"a":1}')
    assert response.json() == [1, 1, '{"a":1}', '{"a":1}']


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', '{"b": [{"a": 1, "\\u0061": 2}]}'])
def test_a_key_that_comes_twice(serve: Serve, text: str) -> None:
    for strict, status in ((True, 400), (False, 200)):
        app = Spikard(ServerConfig(strict_json=strict))

        @app.post("/")
        async def take(body: dict[str, Any]) -> dict[str, Any]:
            return body

        answer = serve(app).client.post("/", content=text, headers={"content-type": "application/json"})
        assert answer.status_code == status
        if strict:
            assert "duplicate key 'a'" in answer.text


def test_request_ids_of_version_seven(serve: Serve) -> None:
    app = Spikard(ServerConfig(request_id_version=7))

    @app.get("/")
    async def get() -> None: ...

    client = serve(app).client
    ids = [client.get("/").headers["x-request-id"] for _ in range(3)]
    kept = client.get("/", headers={"x-request-id": "mine"}).headers["x-request-id"]
    assert [uuid.UUID(one).version for one in ids] == [7, 7, 7]
    assert kept == "mine"
