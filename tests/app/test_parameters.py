"""From path, query, header and cookie to typed arguments; from faults to a 422 that names them all."""

import datetime as dt
import decimal
import enum
import uuid
from typing import Annotated, Any, Literal

import msgspec
import pytest

from spikard import Cookie, Header, Query, Request, Spikard
from tests.conftest import Serve


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Page(msgspec.Struct):
    """A query model."""

    number: int = 1
    size: Annotated[int, msgspec.Meta(ge=1, le=100)] = 20
    sort: str | None = None


def test_path_converters_give_python_values(serve: Serve) -> None:
    app = Spikard()
    seen: list = []

    @app.get("/{i:int}/{f:float}/{b:bool}/{u:uuid}/{d:date}/{t:datetime}/{m:decimal}/{s:slug}")
    async def handler(i: int, f: float, b: bool, u: uuid.UUID, d: dt.date, t: dt.datetime, m: decimal.Decimal, s: str):
        seen.append((i, f, b, u, d, t, m, s))

    value = uuid.uuid4()
    response = serve(app).client.get(f"/-7/1.5e3/yes/{value}/2024-02-29/2024-02-29T10:20:30Z/1.10/a-b-1")
    assert response.status_code == 200, response.text
    assert seen == [
        (
            -7,
            1500.0,
            True,
            value,
            dt.date(2024, 2, 29),
            dt.datetime(2024, 2, 29, 10, 20, 30, tzinfo=dt.UTC),
            decimal.Decimal("1.10"),
            "a-b-1",
        )
    ]
    assert str(seen[0][6]) == "1.10"


def test_every_source_and_default(serve: Serve) -> None:
    app = Spikard()

    @app.get("/items/{item_id}")
    async def handler(
        item_id: int,
        q: str,
        limit: int = 10,
        tags: list[str] | None = None,
        ids: list[int] = Query(default_factory=list),
        colour: Colour = Colour.RED,
        order: Literal["up", "down"] = "up",
        x_token: str = Header(),
        session: str | None = Cookie(None),
        page: Annotated[int, Query(ge=1, alias="p")] = 1,
    ) -> dict:
        return {
            "item_id": item_id,
            "q": q,
            "limit": limit,
            "tags": tags,
            "ids": ids,
            "colour": colour.name,
            "order": order,
            "x_token": x_token,
            "session": session,
            "page": page,
        }

    client = serve(app).client
    response = client.get("/items/5?q=a+b%26c", headers={"X-Token": "t"})
    assert response.json() == {
        "item_id": 5,
        "q": "a b&c",
        "limit": 10,
        "tags": None,
        "ids": [],
        "colour": "RED",
        "order": "up",
        "x_token": "t",
        "session": None,
        "page": 1,
    }
    response = client.get(
        "/items/0123?q=&limit=%2B3&tags=a&tags=b,c&ids=1&ids=-2&colour=blue&order=down&p=9",
        headers={"x-token": "u", "cookie": "session=s%20s"},
    )
    assert response.json() == {
        "item_id": 123,
        "q": "",
        "limit": 3,
        "tags": ["a", "b,c"],
        "ids": [1, -2],
        "colour": "BLUE",
        "order": "down",
        "x_token": "u",
        "session": "s s",
        "page": 9,
    }


def test_every_fault_is_reported_and_the_handler_not_called(serve: Serve) -> None:
    app = Spikard()
    calls: list = []

    @app.get("/items/{item_id}")
    async def handler(
        item_id: int,
        q: Annotated[str, Query(min_length=3, pattern="^a")],
        limit: Annotated[int, Query(ge=0, le=100)] = 10,
        flag: bool = False,
        x_token: uuid.UUID = Header(),
        session: int = Cookie(),
    ) -> None:
        calls.append(item_id)

    response = serve(app).client.get(
        "/items/abc?q=x&limit=1000&flag=maybe", headers={"x-token": "nope", "cookie": "other=1"}
    )
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert list(document)[:5] == ["type", "title", "status", "detail", "errors"]
    assert document["type"] == "https://spikard.dev/errors/validation-error"
    assert document["title"] == "Request Validation Failed"
    assert document["detail"] == "7 validation errors in request"
    assert [(error["type"], error["loc"], error.get("input")) for error in document["errors"]] == [
        ("int_parsing", ["path", "item_id"], "abc"),
        ("bool_parsing", ["query", "flag"], "maybe"),
        ("less_than_equal", ["query", "limit"], "1000"),
        ("string_too_short", ["query", "q"], "x"),
        ("string_pattern_mismatch", ["query", "q"], "x"),
        ("uuid_parsing", ["headers", "x-token"], "nope"),
        ("missing", ["cookie", "session"], None),
    ]
    assert calls == []
    assert document["errors"][2]["msg"] == "Input should be less than or equal to 100"
    assert document["errors"][2]["ctx"] == {"le": 100}


@pytest.mark.parametrize(
    ("annotation", "text", "kind"),
    [
        (int, "1.0", "int_parsing"),
        (int, "", "int_parsing"),
        (int, "1_000", "int_parsing"),
        (int, "%201", "int_parsing"),
        (float, "nan", "float_parsing"),
        (float, "inf", "float_parsing"),
        (float, "0x1", "float_parsing"),
        (bool, "2", "bool_parsing"),
        (uuid.UUID, "x", "uuid_parsing"),
        (dt.date, "2023-02-29", "date_parsing"),
        (dt.datetime, "2023-13-01T00:00:00Z", "datetime_parsing"),
        (dt.time, "25:00:00", "time_parsing"),
        (dt.timedelta, "P1Y", "time_delta_parsing"),
        (decimal.Decimal, "NaN", "decimal_parsing"),
        (Colour, "RED", "enum"),
        (Literal["a", "b"], "c", "enum"),
        (list[int], "x", "int_parsing"),
    ],
)
def test_refused_texts(serve: Serve, annotation: Any, text: str, kind: str) -> None:
    app = Spikard()
    calls: list = []

    async def handler(value):
        calls.append(value)

    handler.__annotations__["value"] = annotation
    app.get("/")(handler)
    response = serve(app).client.get(f"/?value={text}")
    assert response.status_code == 422
    assert [error["type"] for error in response.json()["errors"]] == [kind]
    assert calls == []


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        (int, "9" * 40, int("9" * 40)),
        (float, "1.5e-3", 0.0015),
        (bool, "", False),
        (bool, "ON", True),
        (bool, "n", False),
        (uuid.UUID, "urn:uuid:12345678-1234-5678-1234-567812345678", uuid.UUID("12345678123456781234567812345678")),
        (dt.datetime, "2024-01-02%2003:04:05", dt.datetime(2024, 1, 2, 3, 4, 5)),  # noqa: DTZ001
        (dt.time, "10:20:30", dt.time(10, 20, 30)),
        (dt.timedelta, "P1DT2H30M", dt.timedelta(days=1, hours=2, minutes=30)),
        (dt.timedelta, "90", dt.timedelta(seconds=90)),
        (decimal.Decimal, "1.10", decimal.Decimal("1.10")),
        (Colour, "blue", Colour.BLUE),
        (list[int], "1&value=2", [1, 2]),
        (set[int], "1&value=2&value=1", {1, 2}),
        (tuple[int, str], "1&value=b", (1, "b")),
        (str, "1&value=2", "2"),
        (str, "gr%C3%BCn", "grün"),
        (Any, "1", "1"),
        (int | None, "3", 3),
        (str | None, "null", "null"),
    ],
)
def test_accepted_texts(serve: Serve, annotation: Any, text: str, value: Any) -> None:
    app = Spikard()
    calls: list = []

    async def handler(value):
        calls.append(value)

    handler.__annotations__["value"] = annotation
    app.get("/")(handler)
    response = serve(app).client.get(f"/?value={text}")
    assert response.status_code == 200, response.text
    assert calls == [value]
    assert type(calls[0]) is type(value)


def test_undecodable_query_text_is_a_400(serve: Serve) -> None:
    app = Spikard()

    @app.get("/")
    async def handler(q: str) -> str:
        return q

    assert serve(app).client.get("/?q=%ff").status_code == 400


def test_a_parameter_schema_of_its_own(serve: Serve) -> None:
    app = Spikard()

    async def handler(item_id: int, limit: int | None = None, x_api_key: str = "", tags: list | None = None) -> dict:
        return {"item_id": item_id, "limit": limit, "x_api_key": x_api_key, "tags": tags}

    schema = {
        "type": "object",
        "properties": {
            "item_id": {"type": "integer", "source": "path", "minimum": 1},
            "limit": {"type": "integer", "source": "query", "default": 7, "maximum": 50},
            "x_api_key": {"type": "string", "source": "header"},
            "tags": {"type": "array", "items": {"type": "string"}, "source": "query", "separator": "|"},
        },
        "required": ["item_id", "x_api_key"],
    }
    app.register_route("GET", "/{item_id}", body_schema=None, parameter_schema=schema, file_params=None)(handler)
    client = serve(app).client
    response = client.get("/3?tags=a|b", headers={"x-api-key": "k"})
    assert response.json() == {"item_id": 3, "limit": 7, "x_api_key": "k", "tags": ["a", "b"]}
    response = client.get("/0?limit=99")
    assert [(error["type"], error["loc"]) for error in response.json()["errors"]] == [
        ("greater_than_equal", ["path", "item_id"]),
        ("less_than_equal", ["query", "limit"]),
        ("missing", ["headers", "x-api-key"]),
    ]


def test_query_models(serve: Serve) -> None:
    app = Spikard()

    @app.get("/")
    async def handler(page: Page) -> dict:
        return {"number": page.number, "size": page.size, "sort": page.sort}

    client = serve(app).client
    assert client.get("/").json() == {"number": 1, "size": 20, "sort": None}
    assert client.get("/?number=2&size=5&sort=name").json() == {"number": 2, "size": 5, "sort": "name"}
    response = client.get("/?size=0&number=x")
    assert [(error["type"], error["loc"]) for error in response.json()["errors"]] == [
        ("int_parsing", ["query", "number"]),
        ("greater_than_equal", ["query", "size"]),
    ]


def test_keyword_arguments_take_the_rest(serve: Serve) -> None:
    app = Spikard()

    async def handler(a: int, **rest: Any) -> dict:
        return {"a": a, **rest}

    schema = {
        "type": "object",
        "properties": {
            "a": {"type": "integer", "source": "query"},
            "b": {"type": "integer", "source": "query"},
            "c": {"type": "string", "source": "query"},
        },
        "required": ["a"],
    }
    app.get("/", parameter_schema=schema)(handler)
    assert serve(app).client.get("/?a=1&b=2&c=x&d=y").json() == {"a": 1, "b": 2, "c": "x"}


def test_plain_objects_by_name(serve: Serve) -> None:
    app = Spikard()

    @app.get("/o/{x}")
    async def handler(
        headers: dict, cookies: dict, query_params: dict, path_params: dict, method: str, path: str
    ) -> list:
        return [headers["x-a"], cookies, query_params, path_params, method, path]

    answer = serve(app).client.get("/o/1?a=b", headers={"x-a": "h", "cookie": "c=d"}).json()
    assert answer == ["h", {"c": "d"}, {"a": "b"}, {"x": "1"}, "GET", "/o/1"]


def test_secrets_are_not_shown(serve: Serve) -> None:
    app = Spikard()

    @app.get("/")
    async def handler(request: Request, authorization: int = Header()) -> None: ...

    response = serve(app).client.get("/", headers={"authorization": "hunter2"})
    assert response.status_code == 422
    assert "hunter2" not in response.text
