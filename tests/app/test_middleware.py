"""Middleware around the application: functions and ASGI classes, what they see, change and share."""

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from spikard import (
    FileResponse,
    HTTPException,
    JSONResponse,
    PlainTextResponse,
    Request,
    Response,
    Spikard,
    StreamingResponse,
)
from spikard.errors import ConfigError
from tests.conftest import Serve

CallNext = Callable[[Request], Awaitable[Response]]


class Header:
    """ASGI middleware that adds a header and notes what it sees."""

    def __init__(self, app: Any, name: str = "x-asgi", log: list[str] | None = None) -> None:
        self.app, self.name, self.log = app, name, log if log is not None else []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.log.append(f"{self.name} in")

        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], (self.name.encode(), b"yes")]}
            await send(message)

        await self.app(scope, receive, sending)
        self.log.append(f"{self.name} out")


def application() -> Spikard:
    app = Spikard()

    @app.get("/items/{n}")
    async def item(n: int, request: Request) -> dict[str, Any]:
        return {"n": n, "user": request.user, "state": dict(request.state)}

    @app.post("/echo")
    async def echo(body: dict[str, Any]) -> dict[str, Any]:
        return body

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def chunks() -> AsyncIterator[str]:
            for n in range(3):
                yield f"{n};"
                await asyncio.sleep(0)

        return StreamingResponse(chunks(), media_type="text/plain")

    return app


def test_the_last_added_is_the_outermost_and_all_answers_pass(serve: Serve) -> None:
    log: list[str] = []
    app = application()

    @app.add_middleware
    async def inner(request: Request, call_next: CallNext) -> Response:
        log.append("inner in")
        response = await call_next(request)
        log.append(f"inner out {response.status_code}")
        return response

    app.add_middleware(Header, log=log)

    async def outer(request: Request, call_next: CallNext, *, mark: str) -> Response:
        log.append("outer in")
        response = await call_next(request)
        response.headers["x-outer"] = mark
        log.append("outer out")
        return response

    app.add_middleware(outer, mark="here")
    client = serve(app).client
    for method, path, status in (
        ("GET", "/items/4", 200),
        ("GET", "/items/x", 422),
        ("GET", "/nowhere", 404),
        ("DELETE", "/items/4", 405),
        ("HEAD", "/items/4", 200),
    ):
        log.clear()
        answer = client.request(method, path)
        assert answer.status_code == status
        assert (answer.headers["x-outer"], answer.headers["x-asgi"]) == ("here", "yes")
        assert [entry for entry in log if entry != "x-asgi out"] == [
            "outer in",
            "x-asgi in",
            "inner in",
            f"inner out {status}",
            "outer out",
        ]
    assert client.get("/items/4").json() == {"n": 4, "user": None, "state": {}}
    assert answer.content == b""


def test_functions_change_requests_and_answers(serve: Serve) -> None:
    app = application()

    @app.add_middleware
    async def change(request: Request, call_next: CallNext) -> Response:
        request.path = request.path.removeprefix("/v1")
        request.user = request.headers.get("x-user")
        request.state.seen = True
        response = await call_next(request)
        if response.status_code == 404:
            return PlainTextResponse("lost", 404)
        response.headers["x-length"] = str(len(response.body))
        return response

    client = serve(app).client
    answer = client.get("/v1/items/3", headers={"x-user": "ada"})
    assert answer.json() == {"n": 3, "user": "ada", "state": {"seen": True}}
    assert answer.headers["x-length"] == answer.headers["content-length"]
    assert client.get("/v2").text == "lost"


def test_a_function_may_answer_by_itself_or_fail(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    app = application()

    @app.add_middleware
    async def judge(request: Request, call_next: CallNext) -> Response:
        match request.headers.get("x-do"):
            case "answer":
                return JSONResponse({"early": True}, 418)
            case "refuse":
                raise HTTPException(403, "not you")
            case "break":
                raise KeyError("secret")
            case "nothing":
                return None  # type: ignore[return-value]
        return await call_next(request)

    client = serve(app).client
    assert client.get("/items/1").status_code == 200
    early = client.get("/items/1", headers={"x-do": "answer"})
    assert (early.status_code, early.json()) == (418, {"early": True})
    refused = client.get("/items/1", headers={"x-do": "refuse"})
    assert (refused.status_code, refused.json()["detail"]) == (403, "not you")
    for broken in ("break", "nothing"):
        answer = client.get("/items/1", headers={"x-do": broken})
        assert (answer.status_code, "secret" in answer.text) == (500, False)
    assert "it has to return a Response" in caplog.text


@pytest.mark.parametrize("layers", ["function", "class", "both"])
def test_bodies_pass_whole_and_streams_unbuffered(serve: Serve, layers: str) -> None:
    app = application()
    if layers != "class":

        @app.add_middleware
        async def through(request: Request, call_next: CallNext) -> Response:
            return await call_next(request)

    if layers != "function":
        app.add_middleware(Header)
    gate = threading.Event()

    @app.get("/slow")
    async def slow() -> AsyncIterator[str]:
        yield "first"
        await asyncio.get_running_loop().run_in_executor(None, gate.wait, 10)
        yield "second"

    client = serve(app).client
    document = {"text": "x" * 300_000, "n": [1, 2, 3]}
    assert client.post("/echo", json=document).json() == document
    assert client.post("/echo", content=b"{").status_code == 400
    assert client.get("/stream").text == "0;1;2;"
    with client.stream("GET", "/slow") as answer:
        parts = answer.iter_text()
        assert next(parts) == "first"
        gate.set()
        assert "".join(parts) == "second"


@pytest.mark.parametrize("kind", ["function", "class", "both"])
def test_context_variables_are_shared(serve: Serve, kind: str) -> None:
    word: contextvars.ContextVar[str] = contextvars.ContextVar("word", default="")
    app = Spikard()
    after: list[str] = []

    class Setting:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            word.set(word.get() + "c")

            async def sending(message: Any) -> None:
                after.append(word.get())
                await send(message)

            await self.app(scope, receive, sending)

    async def setting(request: Request, call_next: CallNext) -> Response:
        word.set(word.get() + "f")
        response = await call_next(request)
        after.append(word.get())
        return response

    if kind != "function":
        app.add_middleware(Setting)
    if kind != "class":
        app.add_middleware(setting)
    app.on_request(lambda request: word.set(word.get() + "h") and None)

    @app.get("/")
    async def handler() -> str:
        before = word.get()
        word.set(before + "!")
        return before

    expected = {"function": "fh", "class": "ch", "both": "fch"}[kind]
    client = serve(app).client
    for _ in range(2):
        after.clear()
        assert client.get("/").json() == expected
        assert set(after) == {f"{expected}!"}


def test_starlette_middleware(serve: Serve) -> None:
    class Named(BaseHTTPMiddleware):
        async def dispatch(self, request: Any, call_next: Any) -> Any:
            request.state.name = "ada"
            response = await call_next(request)
            response.headers["x-dispatched"] = request.url.path
            return response

    app = application()
    app.add_middleware(Named)
    app.add_middleware(GZipMiddleware, minimum_size=10)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1"])
    client = serve(app).client
    answer = client.get("/items/5", headers={"accept-encoding": "gzip"})
    assert answer.json() == {"n": 5, "user": None, "state": {"name": "ada"}}
    assert (answer.headers["x-dispatched"], answer.headers["content-encoding"]) == ("/items/5", "gzip")
    assert client.post("/echo", json={"a": 1}).json() == {"a": 1}
    assert client.get("/stream").text == "0;1;2;"
    assert client.get("/items/5", headers={"host": "evil.example"}).status_code == 400


def test_asgi_middleware_changes_the_scope_and_the_body(serve: Serve) -> None:
    class Rewriting:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            body = b""
            while True:
                message = await receive()
                body += message["body"]
                if not message["more_body"]:
                    break
            changed = body.replace(b"tea", b"coffee")
            scope = {**scope, "path": "/echo", "method": "POST", "query_string": b"a=b"}
            scope["headers"] = [
                (b"host", b"else"),
                (b"content-type", b"application/json"),
                (b"content-length", b"%d" % len(changed)),
            ]

            async def changed_receive() -> Any:
                return {"type": "http.request", "body": changed, "more_body": False}

            await self.app(scope, changed_receive, send)

    app = application()
    app.add_middleware(Rewriting)
    answer = serve(app).client.put("/else", content=b'{"drink":"tea"}')
    assert answer.json() == {"drink": "coffee"}


def test_a_client_that_goes_away_cancels_everything(serve: Serve) -> None:
    started, ended = threading.Event(), [threading.Event(), threading.Event()]
    app = Spikard()

    @app.add_middleware
    async def outer(request: Request, call_next: CallNext) -> Response:
        try:
            return await call_next(request)
        except asyncio.CancelledError:
            ended[0].set()
            raise

    @app.get("/")
    async def handler() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended[1].set()
            raise

    with serve(app).connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        assert started.wait(10)
    assert all(event.wait(10) for event in ended)


def test_request_ids_hooks_and_middleware_together(serve: Serve) -> None:
    seen: list[str | None] = []
    app = application()

    @app.add_middleware
    async def note(request: Request, call_next: CallNext) -> Response:
        seen.append(request.request_id)
        response = await call_next(request)
        seen.append(response.headers.get("x-hook"))
        return response

    @app.on_response
    def sign(response: Response, request: Request) -> None:
        response.headers["x-hook"] = str(request.request_id)

    answer = serve(app).client.get("/nowhere", headers={"x-request-id": "abc"})
    assert answer.headers.get_list("x-request-id") == ["abc"]
    assert seen == ["abc", "abc"]


def test_what_is_no_middleware_is_refused() -> None:
    with pytest.raises(ConfigError, match="takes a class or a function"):
        Spikard().add_middleware("auth")  # type: ignore[arg-type]


def test_a_file_goes_through_asgi_middleware(serve: Serve, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_bytes(b"<p>page</p>" * 40_000)
    app = Spikard()

    class Around:
        def __init__(self, inner: Any) -> None:
            self.inner = inner

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await self.inner(scope, receive, send)

    @app.add_middleware
    async def page_for_all(request: Request, call_next: Any) -> Response:
        return FileResponse(page)

    app.add_middleware(Around)
    answer = serve(app).client.get("/")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html")
    assert answer.content == page.read_bytes()
