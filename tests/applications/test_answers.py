"""Applications as programs write them: methods, statuses, headers, streams, what is done beside the answer."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

import spikard
from spikard import Response, Spikard, StreamingResponse, background, delete, get, head, options, patch, post, put
from spikard.config import ServerConfig
from spikard.testing import TestClient

Handler = Callable[..., Any]


def application(method: str, handler: Handler, path: str = "/items", config: ServerConfig | None = None) -> Spikard:
    app = Spikard(config=config) if config is not None else Spikard()
    app.register_route(method, path, body_schema=None, parameter_schema=None, file_params=None)(handler)
    return app


async def answer_created() -> Any:
    return Response(
        content={"id": 1}, status_code=201, headers={"Content-Type": "application/json", "Location": "/items/1"}
    )


def answer_nothing() -> Any:
    return Response(status_code=204)


async def answer_text() -> Any:
    return Response(content="plain", headers={"content-type": "text/plain; charset=utf-8"})


def answer_dict() -> dict[str, Any]:
    return {"ok": True}


async def answer_partial() -> Any:
    return Response(
        content="abc",
        status_code=206,
        headers={"Content-Type": "text/plain", "Content-Range": "bytes 0-2/10", "accept-ranges": "bytes"},
    )


async def answer_too_late() -> Any:
    return Response(content={"detail": "too late"}, status_code=408, headers={"Connection": "close"})


async def answer_head() -> Any:
    return Response(status_code=200, headers={"Content-Length": "85", "Content-Type": "application/json"})


async def answer_stream() -> Any:
    async def parts() -> AsyncIterator[Any]:
        yield "first "
        yield b"second "
        yield "third"

    return StreamingResponse(parts(), status_code=200, headers={"content-type": "text/plain"})


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_every_method_reaches_its_handler(method: str) -> None:
    async with TestClient(application(method, answer_dict)) as client:
        response = await client.request(method, "/items")
        assert (response.status_code, response.json()) == (200, {"ok": True})


async def test_the_methods_of_the_client() -> None:
    app = Spikard()
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        app.register_route(method, "/items", body_schema=None, parameter_schema=None, file_params=None)(answer_dict)
    async with TestClient(app) as client:
        for call in (client.get, client.post, client.put, client.patch, client.delete, client.options):
            assert (await call("/items")).json() == {"ok": True}


async def test_decorators_of_the_module() -> None:
    app = Spikard()

    @get("/get")
    @post("/post")
    @put("/put")
    @patch("/patch")
    @delete("/delete")
    @options("/options")
    async def handler() -> dict[str, str]:
        return {"from": "the module"}

    @head("/head")
    async def heading() -> Response:
        return Response(headers={"x-head": "yes"})

    async with TestClient(app) as client:
        for method in ("get", "post", "put", "patch", "delete", "options"):
            assert (await client.request(method.upper(), f"/{method}")).json() == {"from": "the module"}
        assert (await client.head("/head")).headers["x-head"] == "yes"


async def test_a_created_thing() -> None:
    async with TestClient(application("POST", answer_created)) as client:
        response = await client.post("/items")
        assert (response.status_code, response.json(), response.headers["location"]) == (201, {"id": 1}, "/items/1")
        assert not response.is_redirect


async def test_no_content() -> None:
    async with TestClient(application("DELETE", answer_nothing)) as client:
        response = await client.delete("/items")
        assert (response.status_code, response.content) == (204, b"")
        assert "content-type" not in response.headers


async def test_text_with_a_media_type() -> None:
    async with TestClient(application("GET", answer_text)) as client:
        response = await client.get("/items")
        assert (response.text, response.headers["content-type"]) == ("plain", "text/plain; charset=utf-8")


async def test_headers_of_the_handler_reach_the_client() -> None:
    async with TestClient(application("GET", answer_partial)) as client:
        response = await client.get("/items")
        assert (response.status_code, response.headers["content-range"]) == (206, "bytes 0-2/10")
        assert response.headers["accept-ranges"] == "bytes"
    async with TestClient(application("GET", answer_too_late)) as client:
        response = await client.get("/items")
        assert (response.status_code, response.headers["connection"]) == (408, "close")


async def test_the_length_a_head_handler_gives_is_kept() -> None:
    async with TestClient(application("HEAD", answer_head)) as client:
        response = await client.head("/items")
        assert (response.status_code, response.headers["content-length"], response.content) == (200, "85", b"")


async def test_a_false_length_is_corrected() -> None:
    async def handler() -> Any:
        return Response(content="abc", headers={"Content-Type": "text/plain", "Content-Length": "99"})

    async with TestClient(application("GET", handler)) as client:
        response = await client.get("/items")
        assert (response.text, response.headers["content-length"]) == ("abc", "3")


async def test_a_stream_of_text_and_bytes() -> None:
    async with TestClient(application("GET", answer_stream)) as client:
        response = await client.get("/items")
        assert (response.status_code, response.text) == (200, "first second third")
        assert response.headers["content-type"] == "text/plain"


async def test_methods_and_paths_that_are_not_there() -> None:
    async with TestClient(application("GET", answer_dict)) as client:
        wrong = await client.post("/items")
        assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
        assert (await client.trace("/items")).status_code == 405
        unknown = await client.get("/nothing")
        assert unknown.status_code == 404
        assert "detail" in unknown.json()
        assert (await client.options("/items")).status_code == 204


async def test_a_handler_that_fails_says_nothing() -> None:
    async def fail() -> Any:
        raise LookupError("secret tea")

    async with TestClient(application("GET", fail)) as client:
        response = await client.get("/items")
        assert response.status_code == 500
        assert "secret tea" not in response.text
        assert response.json()["detail"] == "Internal server error"


async def test_background_work_is_done_before_the_next_request() -> None:
    app, events = Spikard(), []

    async def log(event: str) -> None:
        events.append(event)

    async def start(body: dict[str, Any]) -> Any:
        background.run(log(body["event"]))
        return Response(content=None, status_code=202, headers={"content-type": "application/json"})

    async def state() -> Any:
        return {"events": events}

    schema = {"type": "object", "properties": {"event": {"type": "string"}}, "required": ["event"]}
    app.register_route("POST", "/events", body_schema=schema, parameter_schema=None, file_params=None)(start)
    app.register_route("GET", "/events", body_schema=None, parameter_schema=None, file_params=None)(state)
    async with TestClient(app) as client:
        assert (await client.post("/events", json={"event": "alpha"})).status_code == 202
        assert (await client.get("/events")).json() == {"events": ["alpha"]}


async def test_hooks_run_around_the_handler() -> None:
    app = application("GET", answer_dict)
    seen = []

    async def look(request: Any) -> Any:
        seen.append((request.method, request.path))
        return request

    async def mark(response: Any) -> Any:
        assert hasattr(response, "headers")
        response.headers["X-Marked"] = "yes"
        return response

    app.on_request(look)
    app.on_response(mark)
    async with TestClient(app) as client:
        assert (await client.get("/items")).headers["x-marked"] == "yes"
    assert seen == [("GET", "/items")]


async def test_a_hook_that_answers_stops_the_chain() -> None:
    reached = []

    async def handler() -> Any:
        reached.append(True)
        return {}

    app = application("GET", handler)

    async def refuse(request: Any) -> Any:
        return Response(content={"error": "Unauthorized"}, status_code=401)

    app.pre_handler(refuse)
    async with TestClient(app) as client:
        response = await client.get("/items")
    assert (response.status_code, response.json()) == (401, {"error": "Unauthorized"})
    assert reached == []


async def test_request_ids_come_back() -> None:
    async with TestClient(application("GET", answer_dict, config=ServerConfig(enable_request_id=True))) as client:
        given = await client.get("/items", headers={"x-request-id": "trace-123"})
        assert given.headers["x-request-id"] == "trace-123"
        assert (await client.get("/items")).headers["x-request-id"]
    async with TestClient(application("GET", answer_dict, config=ServerConfig(enable_request_id=False))) as client:
        assert "x-request-id" not in (await client.get("/items", headers={"x-request-id": "a"})).headers


async def test_a_body_above_the_limit() -> None:
    async def take(body: dict[str, Any]) -> Any:
        return body

    async with TestClient(application("POST", take, config=ServerConfig(max_body_size=64))) as client:
        assert (await client.post("/items", json={"a": "b"})).status_code == 200
        assert (await client.post("/items", json={"a": "b" * 100})).status_code == 413


async def test_a_handler_that_takes_too_long() -> None:
    import asyncio

    async def wait() -> Any:
        await asyncio.sleep(60)

    async with TestClient(application("GET", wait, config=ServerConfig(request_timeout=0.05))) as client:
        assert (await client.get("/items")).status_code == 408


async def test_a_factory_with_decorators_of_the_module() -> None:
    def create() -> Spikard:
        app = Spikard()

        @spikard.sse("/notifications")
        async def notifications() -> AsyncIterator[dict[str, str]]:
            yield {"level": "info"}
            yield {"level": "late"}

        @spikard.websocket("/chat", message_schema={"type": "object", "required": ["text"]})
        async def chat(message: dict[str, Any]) -> dict[str, Any]:
            return {"echo": message["text"]}

        return app

    async with TestClient(create()) as client:
        response = await client.get("/notifications")
        assert response.headers["content-type"].startswith("text/event-stream")
        events = [event for event in response.text.split("\n\n") if event.startswith("data:")]
        assert events == ['data: {"level":"info"}', 'data: {"level":"late"}']
        async with client.websocket("/chat") as ws:
            await ws.send('{"text": "hello"}')
            assert await ws.recv() == '{"echo":"hello"}'
