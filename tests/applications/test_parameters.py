"""Applications as programs write them: parameters of path, query, headers and cookies."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from spikard import Response, Spikard
from spikard.testing import TestClient

Handler = Callable[..., Any]


def application(method: str, path: str, parameter_schema: dict[str, Any] | None, handler: Handler) -> Spikard:
    app = Spikard()
    app.register_route(method, path, body_schema=None, parameter_schema=parameter_schema, file_params=None)(handler)
    return app


def parameters(required: list[str] | None = None, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required or []}


async def read_item(item_id: int, limit: int | None = None) -> Any:
    result: dict[str, Any] = {"item_id": item_id}
    if limit is not None:
        result["limit"] = limit
    return result


async def read_by_uuid(item_id: UUID) -> Any:
    return {"item_id": str(item_id)}


async def read_by_date(on: date) -> dict[str, Any]:
    return {"on": on.isoformat()}


def read_flag(active: bool | None = None) -> Any:
    return {"active": active}


async def read_tags(tags: list[int] | None = None) -> Any:
    return Response(content={"tags": tags}, status_code=200, headers={"Content-Type": "application/json"})


async def read_token(x_token: str) -> dict[str, Any]:
    return {"token": x_token}


def read_agent(user_agent: str | None = None, accept: str = "none") -> dict[str, Any]:
    return {"agent": user_agent, "accept": accept}


async def read_session(session_id: str | None = None, tracking: str | None = None) -> dict[str, Any]:
    return {"session_id": session_id, "tracking": tracking}


async def read_file(file_path: str) -> Any:
    return {"file_path": file_path}


async def test_integer_in_the_path_and_in_the_query() -> None:
    schema = parameters(
        ["item_id"], item_id={"type": "integer", "source": "path"}, limit={"type": "integer", "source": "query"}
    )
    async with TestClient(application("GET", "/items/{item_id}", schema, read_item)) as client:
        response = await client.get("/items/42", params={"limit": 5})
        assert (response.status_code, response.json()) == (200, {"item_id": 42, "limit": 5})
        assert (await client.get("/items/42")).json() == {"item_id": 42}


async def test_text_where_an_integer_is_wanted() -> None:
    schema = parameters(["item_id"], item_id={"type": "integer", "source": "path"})
    async with TestClient(application("GET", "/items/{item_id}", schema, read_item)) as client:
        response = await client.get("/items/foo")
    assert response.status_code == 422
    data = response.json()
    assert "errors" in data
    assert [(error["type"], error["loc"]) for error in data["errors"]] == [("int_parsing", ["path", "item_id"])]


async def test_a_bound_that_is_not_kept() -> None:
    schema = parameters(["item_id"], item_id={"type": "integer", "source": "path", "exclusiveMinimum": 3})
    async with TestClient(application("GET", "/items/{item_id}", schema, read_item)) as client:
        assert (await client.get("/items/4")).status_code == 200
        response = await client.get("/items/3")
    assert response.status_code == 422
    assert response.json()["errors"][0]["type"] == "greater_than"


@pytest.mark.parametrize("path", ["/items/{item_id}", "/items/{item_id:uuid}"])
async def test_uuid_in_the_path(path: str) -> None:
    schema = parameters(["item_id"], item_id={"type": "string", "format": "uuid", "source": "path"})
    async with TestClient(application("GET", path, schema, read_by_uuid)) as client:
        found = await client.get("/items/ec38df32-ceda-4cfa-9b4a-1aeb94ad551a")
        assert found.json() == {"item_id": "ec38df32-ceda-4cfa-9b4a-1aeb94ad551a"}
        assert (await client.get("/items/not-a-uuid")).status_code == 422


async def test_date_in_the_path() -> None:
    schema = parameters(["on"], on={"type": "string", "format": "date", "source": "path"})
    async with TestClient(application("GET", "/on/{on}", schema, read_by_date)) as client:
        assert (await client.get("/on/2023-07-15")).json() == {"on": "2023-07-15"}
        assert (await client.get("/on/2023-13-45")).status_code == 422


async def test_the_rest_of_a_path() -> None:
    schema = parameters(["file_path"], file_path={"type": "string", "source": "path"})
    async with TestClient(application("GET", "/files/{file_path:path}", schema, read_file)) as client:
        assert (await client.get("/files/home/ada/notes.txt")).json() == {"file_path": "home/ada/notes.txt"}


@pytest.mark.parametrize(("text", "value"), [("true", True), ("1", True), ("off", False), ("NO", False), ("", False)])
async def test_flags_in_the_query(text: str, value: bool) -> None:
    schema = parameters(active={"type": "boolean", "source": "query"})
    async with TestClient(application("GET", "/flag", schema, read_flag)) as client:
        assert (await client.get("/flag", params={"active": text})).json() == {"active": value}


async def test_lists_repeat_their_key() -> None:
    schema = parameters(tags={"type": "array", "items": {"type": "integer"}, "source": "query"})
    async with TestClient(application("GET", "/tags", schema, read_tags)) as client:
        assert (await client.get("/tags", params={"tags": [1, 2, 3]})).json() == {"tags": [1, 2, 3]}
        assert (await client.get("/tags?tags=7")).json() == {"tags": [7]}
        assert (await client.get("/tags")).json() == {"tags": None}
        assert (await client.get("/tags", params={"tags": ["1", "x"]})).status_code == 422


async def test_a_required_query_parameter() -> None:
    schema = parameters(["item_id"], item_id={"type": "integer", "source": "query"})
    async with TestClient(application("GET", "/items", schema, read_item)) as client:
        response = await client.get("/items")
        assert response.status_code == 422
        assert response.json()["errors"][0]["loc"] == ["query", "item_id"]
        assert (await client.get("/items", params={"item_id": "9"})).json() == {"item_id": 9}


async def test_a_default_of_the_schema() -> None:
    schema = parameters(
        ["item_id"], item_id={"type": "integer", "source": "path"}, limit={"type": "integer", "default": 10}
    )
    async with TestClient(application("GET", "/items/{item_id}", schema, read_item)) as client:
        assert (await client.get("/items/1")).json() == {"item_id": 1, "limit": 10}


@pytest.mark.parametrize("source", ["header", "headers"])
async def test_headers_by_the_name_of_the_parameter(source: str) -> None:
    schema = parameters(["x_token"], x_token={"type": "string", "minLength": 3, "source": source})
    async with TestClient(application("GET", "/token", schema, read_token)) as client:
        assert (await client.get("/token", headers={"X-TOKEN": "secret"})).json() == {"token": "secret"}
        missing = await client.get("/token")
        assert (missing.status_code, missing.json()["errors"][0]["loc"]) == (422, ["headers", "x-token"])
        assert (await client.get("/token", headers={"x-token": "ab"})).status_code == 422


async def test_headers_that_clients_send_by_themselves() -> None:
    schema = parameters(
        user_agent={"type": "string", "source": "header"}, accept={"type": "string", "source": "header"}
    )
    async with TestClient(application("GET", "/agent", schema, read_agent)) as client:
        response = await client.get("/agent", headers={"User-Agent": "tea/1.0", "Accept": "text/tea"})
        assert response.json() == {"agent": "tea/1.0", "accept": "text/tea"}


@pytest.mark.parametrize("source", ["cookie", "cookies"])
async def test_cookies(source: str) -> None:
    schema = parameters(
        ["session_id"],
        session_id={"type": "string", "pattern": "^[a-z0-9]{4}$", "source": source},
        tracking={"type": "string", "source": source},
    )
    async with TestClient(application("GET", "/session", schema, read_session)) as client:
        response = await client.get("/session", cookies={"session_id": "ab12", "tracking": "on"})
        assert response.json() == {"session_id": "ab12", "tracking": "on"}
        missing = await client.get("/session")
        assert (missing.status_code, missing.json()["errors"][0]["loc"]) == (422, ["cookie", "session_id"])
        assert (await client.get("/session", cookies={"session_id": "!"})).status_code == 422


async def test_a_very_long_header_is_accepted() -> None:
    schema = parameters(["x_token"], x_token={"type": "string", "source": "header"})
    async with TestClient(application("GET", "/token", schema, read_token)) as client:
        response = await client.get("/token", headers={"X-Token": "x" * 10_000})
        assert response.json() == {"token": "x" * 10_000}
