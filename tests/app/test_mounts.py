"""ASGI applications below a path, and returned by handlers."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request as StarletteRequest
from starlette.responses import JSONResponse as StarletteJSON
from starlette.responses import PlainTextResponse as StarletteText
from starlette.responses import StreamingResponse as StarletteStream
from starlette.routing import Route

from spikard import ApiKeyConfig, Request, Response, ServerConfig, Spikard
from spikard.errors import ConfigError
from spikard.testing import TestClient
from tests.conftest import Serve


def only_http(app: Any) -> Any:
    async def choosing(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])
        await app(scope, receive, send)

    return choosing


def starlette(log: list[str]) -> Starlette:
    async def show(request: StarletteRequest) -> StarletteJSON:
        return StarletteJSON(
            {
                "path": request.url.path,
                "root": request.scope["root_path"],
                "query": dict(request.query_params),
                "name": request.path_params["name"],
                "header": request.headers.get("x-h"),
                "pool": request.state.pool,
                "client": request.client is not None,
            }
        )

    async def echo(request: StarletteRequest) -> StarletteText:
        return StarletteText((await request.body()).decode(), 201, {"x-made": "yes"})

    async def count(request: StarletteRequest) -> StarletteJSON:
        total = 0
        async for chunk in request.stream():
            total += len(chunk)
        return StarletteJSON(total)

    async def stream(request: StarletteRequest) -> StarletteStream:
        async def chunks() -> AsyncIterator[str]:
            for n in range(3):
                yield f"{n};"

        return StarletteStream(chunks(), headers={"x-kind": "stream"})

    async def broken(request: StarletteRequest) -> None:
        raise KeyError("secret")

    async def later(request: StarletteRequest) -> StarletteText:
        return StarletteText("soon", background=BackgroundTask(log.append, "background"))

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, Any]]:
        log.append("up")
        yield {"pool": "open"}
        log.append("down")

    routes = [
        Route("/show/{name}", show),
        Route("/echo", echo, methods=["POST"]),
        Route("/count", count, methods=["PUT"]),
        Route("/stream", stream),
        Route("/broken", broken),
        Route("/later", later),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


def test_starlette_below_a_path(serve: Serve) -> None:
    log: list[str] = []
    app = Spikard()
    app.mount("/shop/", starlette(log))

    @app.get("/shop/own")
    async def own() -> str:
        return "own"

    @app.on_response
    def sign(response: Response) -> None:
        response.headers["x-signed"] = "yes"

    served = serve(app)
    client = served.client
    assert log == ["up"]
    shown = client.get("/shop/show/tea%20cup", params={"a": "1"}, headers={"x-h": "v"})
    assert shown.json() == {
        "path": "/shop/show/tea cup",
        "root": "/shop",
        "query": {"a": "1"},
        "name": "tea cup",
        "header": "v",
        "pool": "open",
        "client": True,
    }
    assert shown.headers["x-signed"] == "yes"
    made = client.post("/shop/echo", content="text")
    assert (made.status_code, made.text, made.headers["x-made"]) == (201, "text", "yes")
    assert client.put("/shop/count", content=b"x" * 500_000).json() == 500_000
    streamed = client.get("/shop/stream")
    assert (streamed.text, streamed.headers["x-kind"], streamed.headers["x-signed"]) == ("0;1;2;", "stream", "yes")
    assert client.get("/shop/nothing").status_code == 404
    assert client.get("/shop/nothing").text == "Not Found"
    assert client.get("/shop/own").json() == "own"
    assert client.get("/shopping").json()["title"] == "Not Found"
    head = client.head("/shop/show/x")
    assert (head.status_code, head.content, int(head.headers["content-length"]) > 10) == (200, b"", True)
    assert client.get("/shop/later").text == "soon"
    served.stop()
    assert log == ["up", "background", "down"]


def test_faults_of_a_mounted_application(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    @only_http
    async def silent(scope: Any, receive: Any, send: Any) -> None:
        return None

    @only_http
    async def unordered(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.body", "body": b""})

    @only_http
    async def half(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise KeyError("secret")

    app = Spikard()
    app.mount("/starlette", starlette([]))
    for name, mounted in {"silent": silent, "unordered": unordered, "half": half}.items():
        app.mount(f"/{name}", mounted)
    served = serve(app)
    # Starlette answers by itself and raises again, for the log.
    assert served.client.get("/starlette/broken").status_code == 500
    for path in ("/silent", "/unordered"):
        answer = served.client.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
        assert "secret" not in answer.text
    cut = served.exchange(b"GET /half HTTP/1.1\r\nhost: x\r\n\r\n")
    assert b"200 OK" in cut
    assert not cut.endswith(b"0\r\n\r\n")


def test_a_mounted_application_learns_that_its_client_has_gone(serve: Serve) -> None:
    sent, gone = threading.Event(), threading.Event()

    @only_http
    async def endless(scope: Any, receive: Any, send: Any) -> None:
        assert (await receive())["type"] == "http.request"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"first", "more_body": True})
        sent.set()
        if (await receive())["type"] == "http.disconnect":
            gone.set()

    app = Spikard()
    app.mount("/endless", endless)
    with serve(app).connect() as connection:
        connection.sendall(b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n")
        assert sent.wait(10)
        assert b"200" in connection.recv(4096)
    assert gone.wait(10)


def test_an_application_that_is_slow_to_read_and_write_is_waited_for(serve: Serve) -> None:
    steps: list[int] = []

    @only_http
    async def flood(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for n in range(200):
            await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
            steps.append(n)
        await send({"type": "http.response.body", "body": b""})

    app = Spikard()
    app.mount("/flood", flood)
    served = serve(app)

    async def rest() -> None:
        before = -1
        while before != len(steps):
            before = len(steps)
            for _ in range(50):
                await asyncio.sleep(0)

    with served.client.stream("GET", "/flood") as answer:
        served.call(rest)
        assert len(steps) < 150
        assert sum(len(part) for part in answer.iter_bytes()) == 20_000_000
    assert len(steps) == 200


def test_a_spikard_below_a_path(serve: Serve) -> None:
    log: list[str] = []
    inner = Spikard()
    inner.on_startup(lambda: log.append("inner up"))
    inner.on_shutdown(lambda: log.append("inner down"))

    @inner.get("/items/{n}")
    async def item(n: int, request: Request) -> dict[str, Any]:
        return {"n": n, "path": request.path}

    @inner.post("/echo")
    async def echo(body: dict[str, Any]) -> dict[str, Any]:
        return body

    @inner.get("/stream")
    async def stream() -> AsyncIterator[str]:
        yield "a"
        yield "b"

    outer = Spikard()
    outer.mount("/v2", inner)
    outer.get("/items/{n}")(lambda n: "outer")
    served = serve(outer)
    client = served.client
    assert client.get("/v2/items/3").json() == {"n": 3, "path": "/items/3"}
    assert client.get("/items/3").json() == "outer"
    assert client.get("/v2/items/x").status_code == 422
    assert client.get("/v2").status_code == 404
    assert client.post("/v2/echo", json={"a": 1}).json() == {"a": 1}
    assert client.get("/v2/stream").text == "ab"
    served.stop()
    assert log == ["inner up", "inner down"]


def test_handlers_may_return_asgi_applications(serve: Serve) -> None:
    app = Spikard()

    @app.get("/text")
    async def text() -> Any:
        return StarletteText("from starlette", 202, {"x-a": "1"})

    @app.get("/sync")
    def sync() -> Any:
        return StarletteJSON({"sync": True})

    @app.get("/shop/{rest:path}")
    async def shop(rest: str) -> Any:
        return whole

    whole = Starlette(routes=[Route("/shop/{name}", lambda request: StarletteText(request.path_params["name"]))])
    client = serve(app).client
    answer = client.get("/text")
    assert (answer.status_code, answer.text, answer.headers["x-a"]) == (202, "from starlette", "1")
    assert client.get("/sync").json() == {"sync": True}
    assert client.get("/shop/tea").text == "tea"


def test_a_start_that_fails_stops_the_server() -> None:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        raise RuntimeError("no database")
        yield

    app = Spikard()
    app.mount("/shop", Starlette(lifespan=lifespan))
    with pytest.raises(ConfigError, match="no database"), TestClient(app):
        pass


@pytest.mark.parametrize(("path", "mounted"), [("shop", Starlette()), ("/shop", "no application")])
def test_what_cannot_be_mounted_is_refused(path: str, mounted: Any) -> None:
    with pytest.raises(ConfigError):
        Spikard().mount(path, mounted)


@pytest.mark.parametrize("with_middleware", [False, True], ids=["bare", "with-middleware"])
def test_what_is_mounted_is_behind_the_application_s_doors(serve: Serve, with_middleware: bool) -> None:
    app = Spikard(ServerConfig(api_key_auth=ApiKeyConfig(keys=["right"])))
    app.mount("/shop", starlette([]))
    app.get("/own")(lambda: "own")
    if with_middleware:

        @app.add_middleware
        async def through(request: Request, call_next: Any) -> Response:
            response: Response = await call_next(request)
            return response

    client = serve(app).client
    for path in ("/shop/show/tea", "/shop/nothing", "/own"):
        assert client.get(path).status_code == 401, path
        assert client.get(path, headers={"x-api-key": "wrong"}).status_code == 401, path
    assert client.get("/shop/show/tea", headers={"x-api-key": "right"}).status_code == 200
    assert client.get("/own", headers={"x-api-key": "right"}).json() == "own"
