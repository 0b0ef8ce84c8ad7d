"""Hooks: their order, what they may change, and what they share with handlers."""

import asyncio
import contextvars
import functools
import threading
from typing import Any

import pytest

from spikard import (
    JSONResponse,
    PlainTextResponse,
    Request,
    Response,
    Router,
    ServerConfig,
    Spikard,
)
from spikard.errors import ConfigError
from spikard.testing import TestClient
from tests.conftest import Serve

PHASES = ("on_request", "pre_validation", "pre_handler", "on_response")


def noting(log: list[str], name: str, *, asynchronous: bool) -> Any:
    if asynchronous:

        async def hook(subject: Any) -> None:
            await asyncio.sleep(0)
            log.append(name)
    else:

        def hook(subject: Any) -> None:
            log.append(name)

    return hook


@pytest.mark.parametrize("asynchronous", [False, True], ids=["def", "async"])
@pytest.mark.parametrize("sync_handler", [False, True], ids=["async-handler", "def-handler"])
def test_phases_run_in_order_and_app_hooks_surround_those_of_routers(
    serve: Serve, asynchronous: bool, sync_handler: bool
) -> None:
    log: list[str] = []
    app, outer, inner = Spikard(), Router("/outer"), Router("/inner")
    for name, owner in {"inner": inner, "app": app, "outer": outer}.items():
        for phase in PHASES:
            getattr(owner, phase)(noting(log, f"{phase} {name}", asynchronous=asynchronous))

    if sync_handler:

        @inner.get("/{number}")
        def handler(number: int) -> dict[str, int]:
            log.append("handler")
            return {"number": number}
    else:

        @inner.get("/{number}")
        async def handler(number: int) -> dict[str, int]:
            log.append("handler")
            return {"number": number}

    app.get("/beside")(lambda: {"beside": True})
    outer.include_router(inner)
    app.include_router(outer)
    client = serve(app).client
    assert client.get("/outer/inner/3").json() == {"number": 3}
    assert log == [
        "on_request app",
        "on_request outer",
        "on_request inner",
        "pre_validation app",
        "pre_validation outer",
        "pre_validation inner",
        "pre_handler app",
        "pre_handler outer",
        "pre_handler inner",
        "handler",
        "on_response inner",
        "on_response outer",
        "on_response app",
    ]
    log.clear()
    assert client.get("/beside").json() == {"beside": True}
    assert log == [f"{phase} app" for phase in PHASES]


def test_registration_order_and_explicit_order() -> None:
    app = Spikard()
    third = app.on_request(order=5)(lambda request: None)
    first = app.on_request(lambda request: None)
    second = app.on_request(lambda request: None)
    early = app.on_error(order=-1)(lambda response: None)
    assert app.get_lifecycle_hooks() == {
        "on_request": [first, second, third],
        "pre_validation": [],
        "pre_handler": [],
        "on_response": [],
        "on_error": [early],
    }


def test_hooks_registered_after_the_routes_count(serve: Serve) -> None:
    app = Spikard()
    app.get("/")(lambda: "hello")

    @app.on_response
    def stamp(response: Response) -> None:
        response.headers["x-stamp"] = "late"

    assert serve(app).client.get("/").headers["x-stamp"] == "late"


@pytest.mark.parametrize("phase", ["on_request", "pre_validation", "pre_handler"])
@pytest.mark.parametrize("asynchronous", [False, True], ids=["def", "async"])
def test_a_response_stops_the_chain_and_still_passes_on_response(serve: Serve, phase: str, asynchronous: bool) -> None:
    reached: list[str] = []
    app = Spikard()

    def refuse(request: Request) -> Response:
        return JSONResponse({"error": "Unauthorized"}, 401, {"www-authenticate": "Test"})

    async def refuse_later(request: Request) -> Response:
        await asyncio.sleep(0)
        return refuse(request)

    getattr(app, phase)(refuse_later if asynchronous else refuse)
    getattr(app, phase)(noting(reached, "later hook", asynchronous=False))
    app.on_error(noting(reached, "on_error", asynchronous=False))

    @app.on_response
    async def sign(response: Response, request: Request) -> None:
        response.headers["x-signed"] = request.path

    @app.post("/orders")
    async def handler(body: dict[str, int]) -> None:
        reached.append("handler")

    answer = serve(app).client.post("/orders", json={"a": 1})
    assert (answer.status_code, answer.json()) == (401, {"error": "Unauthorized"})
    assert answer.headers["www-authenticate"] == "Test"
    assert answer.headers["x-signed"] == "/orders"
    # What a hook answers on purpose is no fault, below 500.
    assert reached == []


def test_hooks_may_give_the_request_back(serve: Serve) -> None:
    app = Spikard()
    for phase in ("on_request", "pre_validation", "pre_handler"):

        @getattr(app, phase)
        async def hook(request: Request, phase: str = phase) -> Request:
            request.state[phase] = True
            return request

    @app.get("/")
    async def handler(request: Request) -> list[str]:
        return sorted(request.state)

    assert serve(app).client.get("/").json() == ["on_request", "pre_handler", "pre_validation"]


def test_handler_and_hooks_hold_the_same_request(serve: Serve) -> None:
    seen: list[Request] = []
    app = Spikard()
    for phase in ("on_request", "pre_validation", "pre_handler"):
        getattr(app, phase)(seen.append)

    @app.on_request
    def name(request: Request) -> None:
        request.user, request.auth = "ada", {"scheme": "test"}

    @app.on_response
    def last(response: Response, request: Request) -> None:
        seen.append(request)

    @app.post("/{word}")
    async def handler(word: str, request: Request) -> Any:
        seen.append(request)
        return [request.user, request.auth, request.path_params, (await request.json())["n"]]

    answer = serve(app).client.post("/tea", json={"n": 4})
    assert answer.json() == ["ada", {"scheme": "test"}, {"word": "tea"}, 4]
    assert len(seen) == 5
    assert all(request is seen[0] for request in seen)


def test_state_set_before_is_there_for_handlers_without_hooks_around_them(serve: Serve) -> None:
    app = Spikard()

    @app.on_request
    def count(request: Request) -> None:
        request.state.began = 7

    @app.get("/state")
    async def state(request: Request) -> int:
        return int(request.state.began)

    @app.get("/plain/{n}")
    def plain(n: int) -> int:
        return n

    client = serve(app).client
    assert client.get("/state").json() == 7
    assert client.get("/plain/2").json() == 2


def test_changes_in_on_request_are_what_routing_and_parameters_see(serve: Serve) -> None:
    app = Spikard()

    @app.on_request
    def change(request: Request) -> None:
        if request.path != "/from":
            return
        request.method = "put"
        request.path = "/to/späte wörter"
        request.headers["x-kind"] = "black"
        del request.headers["x-other"]
        request.query_params["grams"] = "20"
        request.query_params.add("tag", "b")
        request.cookies["session"] = "new; value"

    @app.put("/to/{word}")
    async def handler(word: str, grams: int, tag: list[str], request: Request, x_kind: str = "none") -> dict[str, Any]:
        return {
            "word": word,
            "grams": grams,
            "tag": tag,
            "kind": request.headers["x-kind"],
            "other": request.headers.get("x-other"),
            "cookies": dict(request.cookies),
            "query": request.query_string,
        }

    @app.put("/to/{word}/cookie")
    async def unused(word: str) -> None: ...

    client = serve(app).client
    answer = client.get(
        "/from", params={"grams": "1", "tag": "a"}, headers={"x-other": "1", "cookie": "session=old; kept=yes"}
    )
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "word": "späte wörter",
        "grams": 20,
        "tag": ["a", "b"],
        "kind": "black",
        "other": None,
        "cookies": {"session": "new; value", "kept": "yes"},
        "query": "grams=20&tag=a&tag=b",
    }


def test_whole_values_may_be_set(serve: Serve) -> None:
    app = Spikard()

    @app.on_request
    def change(request: Request) -> None:
        request.headers = {"x-a": "1"}
        request.query_params = {"n": "5"}
        request.cookies = {}

    @app.get("/")
    async def handler(request: Request, n: int) -> list[Any]:
        return [request.headers.items(), n, request.cookies]

    answer = serve(app).client.get("/?n=1", headers={"cookie": "a=b"})
    assert answer.json() == [[["x-a", "1"]], 5, {}]


@pytest.mark.parametrize(
    ("field", "value"), [("path", "no-slash"), ("method", "B D"), ("path", "/nul\0"), ("query_params", 5)]
)
def test_impossible_changes_are_refused(serve: Serve, field: str, value: Any) -> None:
    app = Spikard()

    @app.on_request
    def change(request: Request) -> Response | None:
        try:
            setattr(request, field, value)
        except (ValueError, TypeError) as fault:
            return PlainTextResponse(type(fault).__name__)
        return None

    assert serve(app).client.get("/").text in {"ValueError", "TypeError"}


@pytest.mark.parametrize(
    ("phase", "readable"), [("on_request", False), ("pre_validation", False), ("pre_handler", True)]
)
def test_the_body_is_there_from_pre_handler_on(serve: Serve, phase: str, readable: bool) -> None:
    app = Spikard()

    @getattr(app, phase)
    def look(request: Request) -> Response:
        try:
            return PlainTextResponse(bytes(request.body()))
        except RuntimeError as fault:
            return PlainTextResponse(str(fault))

    app.post("/")(lambda body: None)
    shown = serve(app).client.post("/", json={"a": 1}).text
    assert ("has not been read" not in shown) is readable
    assert ('{"a":1}' in shown) is readable


def test_hooks_and_handler_share_one_context(serve: Serve) -> None:
    word: contextvars.ContextVar[str] = contextvars.ContextVar("word", default="")
    app = Spikard()

    def add(letter: str) -> None:
        word.set(word.get() + letter)

    @app.on_request
    async def first(request: Request) -> None:
        await asyncio.sleep(0)
        add("a")

    app.on_request(lambda request: add("b"))
    app.pre_validation(lambda request: add("c"))

    @app.get("/task")
    async def task() -> str:
        await asyncio.sleep(0)
        return word.get()

    @app.get("/direct")
    async def direct() -> str:
        return word.get()

    @app.get("/thread")
    def thread() -> list[Any]:
        return [word.get(), threading.current_thread() is not threading.main_thread()]

    router = Router("/around")

    @router.pre_handler
    async def around(request: Request) -> None:
        add("d")

    @router.on_response
    def after(response: Response) -> None:
        response.headers["x-word"] = word.get()

    @router.get("/task")
    async def inner() -> None:
        add("e")

    app.include_router(router)
    client = serve(app).client
    for _ in range(2):
        assert client.get("/task").json() == "abc"
        assert client.get("/direct").json() == "abc"
        assert client.get("/thread").json()[0] == "abc"
        assert client.get("/around/task").headers["x-word"] == "abcde"


def test_a_parameter_that_nothing_fills_is_refused_at_the_start() -> None:
    app = Spikard()

    @app.on_request
    def wants(request: Request, database: Any) -> None: ...

    with pytest.raises(ConfigError, match=r"wants: nothing can fill parameter 'database'"), TestClient(app):
        pass


def test_kinds_of_callables(serve: Serve) -> None:
    class Counter:
        def __init__(self) -> None:
            self.seen = 0

        def __call__(self, request: Request) -> None:
            self.seen += 1

        async def method(self, request: Request, *rest: Any) -> None:
            self.seen += 10

    def with_bound(step: int, request: Request) -> None:
        counter.seen += step

    counter = Counter()
    app = Spikard()
    app.on_request(counter)
    app.pre_handler(counter.method)
    app.pre_validation(functools.partial(with_bound, 100))
    app.get("/")(lambda: "fine")
    assert serve(app).client.get("/").status_code == 200
    assert counter.seen == 111


def test_a_client_that_goes_away_cancels_the_hook(serve: Serve) -> None:
    started, ended = threading.Event(), threading.Event()
    app = Spikard()

    @app.on_request
    async def wait(request: Request) -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.set()
            raise

    served = serve(app)
    with served.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        assert started.wait(10)
    assert ended.wait(10)


def test_background_tasks_and_cookies_survive_the_hooks(serve: Serve) -> None:
    done = threading.Event()
    app = Spikard()

    @app.get("/")
    async def handler() -> Response:
        response = JSONResponse({}, background=done.set)
        response.set_cookie("a", "1")
        response.set_cookie("b", "2")
        return response

    app.on_response(lambda response: None)
    answer = serve(app).client.get("/")
    assert answer.headers.get_list("set-cookie") == [
        "a=1; Path=/; SameSite=Lax",
        "b=2; Path=/; SameSite=Lax",
    ]
    assert done.wait(10)


def test_head_and_request_id_with_hooks(serve: Serve) -> None:
    app = Spikard(ServerConfig(max_body_size=None))
    app.get("/")(lambda: {"a": 1})
    app.on_response(lambda response, request: response.headers.update({"x-id": request.request_id}))
    answer = serve(app).client.head("/", headers={"x-request-id": "abc"})
    assert (answer.headers["content-length"], answer.content) == ("7", b"")
    assert answer.headers["x-id"] == answer.headers["x-request-id"] == "abc"
