"""Spikard as an ASGI application, under another server."""

import asyncio
import contextvars
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn

from spikard import JSONResponse, Request, Response, Spikard, StreamingResponse


def application(log: list[str]) -> Spikard:
    app = Spikard()
    app.on_startup(lambda: log.append("up"))
    app.on_shutdown(lambda: log.append("down"))

    @app.get("/items/{n}")
    async def item(n: int, request: Request, q: str = "-") -> dict[str, Any]:
        return {"n": n, "q": q, "client": request.client is not None, "host": request.host}

    @app.post("/echo")
    async def echo(body: dict[str, Any]) -> dict[str, Any]:
        return body

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def chunks() -> AsyncIterator[str]:
            yield "one "
            yield "two"

        return StreamingResponse(chunks(), media_type="text/plain")

    @app.get("/cookies")
    async def cookies() -> Response:
        response = JSONResponse({}, background=lambda: log.append("background"))
        response.set_cookie("a", "1")
        response.set_cookie("b", "2")
        return response

    @app.get("/broken")
    async def broken() -> None:
        raise KeyError("secret")

    return app


@asynccontextmanager
async def under_uvicorn(app: Any) -> AsyncIterator[httpx.AsyncClient]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on"))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", trust_env=False, timeout=20
        ) as client:
            yield client
    finally:
        server.should_exit = True
        await task


async def test_under_uvicorn() -> None:
    log: list[str] = []
    app = application(log)
    async with under_uvicorn(app.asgi) as client:
        answer = await client.get("/items/3", params={"q": "täa"})
        assert answer.json() == {"n": 3, "q": "täa", "client": True, "host": client.base_url.netloc.decode()}
        assert "x-request-id" in answer.headers
        assert (await client.get("/items/x")).status_code == 422
        assert (await client.get("/nowhere")).json()["detail"] == "No route matches GET /nowhere"
        assert (await client.post("/echo", json={"a": "b" * 300_000})).json() == {"a": "b" * 300_000}
        assert (await client.get("/stream")).text == "one two"
        head = await client.head("/items/3")
        assert (head.content, int(head.headers["content-length"]) > 5) == (b"", True)
        assert (await client.get("/cookies")).headers.get_list("set-cookie") == [
            "a=1; Path=/; SameSite=Lax",
            "b=2; Path=/; SameSite=Lax",
        ]
        broken = await client.get("/broken")
        assert (broken.status_code, "secret" in broken.text) == (500, False)
    assert log == ["up", "background", "down"]


async def test_without_a_lifespan() -> None:
    app = application([])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        assert (await client.get("/items/4")).json() == {"n": 4, "q": "-", "client": True, "host": "test"}
        assert (await client.get("/stream")).text == "one two"


async def test_middleware_hooks_and_root_path() -> None:
    word: contextvars.ContextVar[str] = contextvars.ContextVar("word", default="")
    app = Spikard()

    @app.add_middleware
    async def around(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        word.set("set outside")
        response = await call_next(request)
        response.headers["x-around"] = request.path
        return response

    app.on_request(lambda request: setattr(request.state, "hook", True))

    @app.get("/word")
    async def handler(request: Request) -> list[Any]:
        return [word.get(), request.state.hook]

    transport = httpx.ASGITransport(app, root_path="/below")
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.get("/below/word")
    assert answer.json() == ["set outside", True]
    assert answer.headers["x-around"] == "/word"


async def test_a_client_that_goes_away_cancels_the_handler() -> None:
    started, ended = asyncio.Event(), asyncio.Event()
    app = Spikard()

    @app.get("/")
    async def handler() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.set()
            raise

    async with under_uvicorn(app) as client:
        request = asyncio.create_task(client.get("/"))
        await asyncio.wait_for(started.wait(), 10)
        request.cancel()
        await asyncio.wait_for(ended.wait(), 10)


async def test_a_start_that_fails_is_told() -> None:
    app = Spikard()

    @app.on_startup
    def fail() -> None:
        raise RuntimeError("no database")

    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "lifespan.startup"}

    async def send(message: Any) -> None:
        sent.append(message)

    with pytest.raises(RuntimeError, match="no database"):
        await app({"type": "lifespan", "asgi": {}}, receive, send)
    assert sent == [{"type": "lifespan.startup.failed", "message": "no database"}]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"headers": [(b"host", b"test"), (b"bad name", b"x")]}, 400),
        ({"method": "B D"}, 400),
        ({"headers": []}, 400),
        ({"path": "/%", "raw_path": b"/%ff"}, 400),
    ],
)
async def test_requests_that_make_no_sense(change: dict[str, Any], status: int) -> None:
    app = application([])
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": [(b"host", b"test")]}
    await app(scope | change, receive, send)
    assert sent[0]["status"] == status
