"""Hooks and answers: what they do to them, and what they see of faults."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from spikard import (
    HTTPException,
    JSONResponse,
    PlainTextResponse,
    Request,
    Response,
    Router,
    Spikard,
    StreamingResponse,
)
from spikard.config import RouteConfig
from tests.conftest import Serve

PHASES = ("on_request", "pre_validation", "pre_handler", "on_response")


@pytest.mark.parametrize(
    ("returned", "shown"),
    [
        ({"a": 1}, b'{"a":1}'),
        ("text", b'"text"'),
        (None, b"null"),
        (b"raw", b"raw"),
        (({"made": True}, 201, {"x-made": "yes"}), b'{"made":true}'),
        (7, b"7"),
    ],
    ids=["dict", "str", "none", "bytes", "tuple", "int"],
)
def test_on_response_gets_a_response_whatever_the_handler_gave(serve: Serve, returned: Any, shown: bytes) -> None:
    bodies: list[bytes] = []
    app = Spikard()
    app.get("/")(lambda: returned)

    @app.on_response
    def see(response: Response) -> None:
        bodies.append(response.body)
        response.headers["x-seen"] = str(response.status_code)

    answer = serve(app).client.get("/")
    assert answer.content == shown == bodies[0]
    assert answer.headers["x-seen"] == str(answer.status_code)
    if isinstance(returned, tuple):
        assert (answer.status_code, answer.headers["x-made"]) == (201, "yes")


def test_on_response_may_return_another_response(serve: Serve) -> None:
    app = Spikard()

    @app.get("/", status_code=202)
    async def handler() -> dict[str, int]:
        return {"n": 1}

    @app.on_response
    async def other(response: Response) -> Response:
        return PlainTextResponse(f"was {response.status_code}", 203, {"x-old": response.headers["content-type"]})

    answer = serve(app).client.get("/")
    assert (answer.status_code, answer.text, answer.headers["x-old"]) == (203, "was 202", "application/json")


def test_streams_pass_on_response_unread(serve: Serve) -> None:
    order: list[str] = []
    app = Spikard()

    @app.get("/")
    async def handler() -> StreamingResponse:
        async def body() -> AsyncIterator[str]:
            order.append("first chunk")
            yield "one "
            yield "two"

        return StreamingResponse(body(), media_type="text/plain")

    @app.get("/bare")
    async def bare() -> AsyncIterator[str]:
        yield "bare"

    @app.on_response
    def see(response: Response) -> None:
        order.append("on_response")
        response.headers["x-seen"] = "yes"

    client = serve(app).client
    answer = client.get("/")
    assert (answer.text, answer.headers["x-seen"]) == ("one two", "yes")
    assert order == ["on_response", "first chunk"]
    answer = client.get("/bare")
    assert (answer.text, answer.headers["x-seen"]) == ("bare", "yes")


def failing(app: Spikard) -> None:
    @app.get("/number/{n}")
    async def number(n: int) -> int:
        return 1 // n

    @app.get("/refused")
    async def refused() -> None:
        raise HTTPException(409, "closed")

    @app.get("/returned")
    async def returned() -> Response:
        return JSONResponse({"error": "mine"}, 500)

    @app.get("/returned-404")
    async def returned_404() -> Response:
        return JSONResponse({"error": "mine"}, 404)

    @app.post("/body", config=RouteConfig(max_body_size=10))
    async def body(body: dict[str, int]) -> None: ...

    @app.get("/slow", config=RouteConfig(request_timeout=0.05))
    async def slow() -> None:
        await asyncio.Event().wait()


def test_on_error_sees_faults_and_refusals_once_and_before_on_response(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[Any] = []
    app = Spikard()
    failing(app)

    @app.on_error
    def told(response: Response, request: Request | None = None, exc: BaseException | None = None) -> None:
        seen.append((response.status_code, type(exc).__name__))
        response.headers["x-told"] = "yes"

    @app.on_response
    def after(response: Response) -> None:
        seen.append("on_response")
        response.headers["x-after"] = response.headers.get("x-told", "no")

    client = serve(app).client

    def ask(method: str, path: str, **options: Any) -> tuple[int, list[Any]]:
        seen.clear()
        answer = client.request(method, path, **options)
        assert answer.headers["x-after"] == ("yes" if len(seen) == 2 else "no"), path
        return answer.status_code, seen

    assert ask("GET", "/number/1") == (200, ["on_response"])
    assert ask("GET", "/number/0") == (500, [(500, "ZeroDivisionError"), "on_response"])
    assert ask("GET", "/number/x") == (422, [(422, "NoneType"), "on_response"])
    assert ask("GET", "/refused") == (409, [(409, "HTTPException"), "on_response"])
    assert ask("GET", "/returned") == (500, [(500, "NoneType"), "on_response"])
    assert ask("GET", "/returned-404") == (404, ["on_response"])
    assert ask("GET", "/nowhere") == (404, [(404, "NoneType"), "on_response"])
    assert ask("DELETE", "/refused") == (405, [(405, "NoneType"), "on_response"])
    assert ask("OPTIONS", "/refused") == (204, ["on_response"])
    assert ask("POST", "/body", json={"a": "x"}) == (422, [(422, "NoneType"), "on_response"])
    assert ask("POST", "/body", content="{", headers={"content-type": "application/json"})[0] == 400
    assert ask("POST", "/body", content="a", headers={"content-type": "text/plain"})[0] == 415
    assert ask("POST", "/body", json={"long": 1_000_000}) == (413, [(413, "NoneType"), "on_response"])
    assert ask("GET", "/slow") == (408, [(408, "NoneType"), "on_response"])


def test_headers_of_refusals_stay_and_may_be_changed(serve: Serve) -> None:
    app = Spikard()
    failing(app)

    @app.on_error
    async def told(response: Response) -> Response:
        await asyncio.sleep(0)
        response.headers["x-status"] = str(response.status_code)
        response.content = {**__import__("json").loads(response.body), "help": "/docs"}
        return response

    answer = serve(app).client.delete("/refused")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.json()["status"], answer.json()["help"]) == (405, "/docs")
    assert answer.headers["x-status"] == "405"


def test_hooks_of_a_router_see_refusals_of_its_routes_only(serve: Serve) -> None:
    app, router = Spikard(), Router("/in")

    @router.on_error
    def told(response: Response) -> None:
        response.headers["x-told"] = "yes"

    @router.get("/{n}")
    async def handler(n: int) -> int:
        return 1 // n

    @router.post("/{n}")
    async def body(n: int, body: dict[str, int]) -> None: ...

    @app.get("/out/{n}")
    async def out(n: int) -> int:
        return 1 // n

    app.include_router(router)
    client = serve(app).client
    assert client.get("/in/x").headers["x-told"] == "yes"
    assert client.get("/in/0").headers["x-told"] == "yes"
    assert client.post("/in/1", content=b"a", headers={"content-type": "text/plain"}).headers["x-told"] == "yes"
    for path in ("/out/x", "/out/0", "/in", "/in/1/2"):
        assert "x-told" not in client.get(path).headers, path


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("asynchronous", [False, True], ids=["def", "async"])
def test_a_hook_that_raises_is_a_500_that_on_error_sees_once(
    serve: Serve, phase: str, asynchronous: bool, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []
    app = Spikard()
    app.get("/")(lambda: "fine")

    def broken(subject: Any) -> None:
        raise KeyError("secret")

    async def broken_later(subject: Any) -> None:
        await asyncio.sleep(0)
        raise KeyError("secret")

    getattr(app, phase)(broken_later if asynchronous else broken)

    @app.on_error
    def tell(response: Response, request: Request, exc: BaseException) -> None:
        told.append(f"{response.status_code} {type(exc).__name__} {request.path}")

    answer = serve(app).client.get("/")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text
    assert told == ["500 KeyError /"]
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [KeyError]


def test_a_broken_on_error_hook_ends_in_the_opaque_500(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    calls: list[int] = []
    app = Spikard()

    @app.on_error
    def broken(response: Response) -> None:
        calls.append(response.status_code)
        raise KeyError("secret")

    client = serve(app).client
    answer = client.get("/nowhere")
    assert (answer.status_code, "secret" in answer.text) == (500, False)
    assert calls == [404]


def test_what_hooks_raise_may_be_an_answer(serve: Serve) -> None:
    app = Spikard()
    app.get("/")(lambda: "fine")

    @app.pre_validation
    def limit(request: Request) -> None:
        raise HTTPException(429, "too many", headers={"retry-after": "60"})

    @app.exception_handler(429)
    def answer_429(request: Request, exc: HTTPException) -> Response:
        return JSONResponse({"error": exc.detail}, 429, exc.headers)

    answer = serve(app).client.get("/")
    assert (answer.status_code, answer.json(), answer.headers["retry-after"]) == (429, {"error": "too many"}, "60")


@pytest.mark.parametrize("phase", PHASES)
def test_a_hook_that_returns_something_else_is_a_fault_that_names_it(
    serve: Serve, phase: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = Spikard()
    app.get("/")(lambda: "fine")

    @getattr(app, phase)
    def wrong(subject: Any) -> Any:
        return {"not": "a response"}

    assert serve(app).client.get("/").status_code == 500
    (record,) = [record for record in caplog.records if record.exc_info]
    assert record.exc_info
    assert "wrong returned dict" in str(record.exc_info[1])
