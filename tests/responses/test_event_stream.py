"""Streams of server-sent events, on the wire and as handlers write them."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec
import pytest

import spikard
from spikard import EventStreamResponse, Request, Router, Spikard, SseEvent, SseEventProducer
from spikard.errors import RouteError
from spikard.testing import MemoryClient, TestClient
from tests.conftest import Serve


class Price(msgspec.Struct):
    tea: str
    cents: int


@dataclass
class Point:
    x: int


EVENTS: list[tuple[Any, str]] = [
    ({"a": 1, "b": [True, None]}, 'data: {"a":1,"b":[true,null]}\n\n'),
    ([1, 2], "data: [1,2]\n\n"),
    ("text", "data: text\n\n"),
    ("", "data: \n\n"),
    ("two\nlines", "data: two\ndata: lines\n\n"),
    ("mac\rand\r\ndos\n", "data: mac\ndata: and\ndata: dos\ndata: \n\n"),
    ("ümläut ☕", "data: ümläut ☕\n\n"),
    (Price("Assam", 3), 'data: {"tea":"Assam","cents":3}\n\n'),
    (Point(2), 'data: {"x":2}\n\n'),
    (7, "data: 7\n\n"),
    (None, "data: null\n\n"),
    (SseEvent({"a": "x\ny"}), 'data: {"a":"x\\ny"}\n\n'),
    (SseEvent("x", event_type="tick"), "event: tick\ndata: x\n\n"),
    (SseEvent("x", id="7"), "data: x\nid: 7\n\n"),
    (SseEvent("x", "tick", "7", 500, "why"), "event: tick\ndata: x\nid: 7\nretry: 500\n: why\n\n"),
    (SseEvent(comment="two\nlines"), ": two\n: lines\n\n"),
    (SseEvent(retry=0), "retry: 0\n\n"),
    (SseEvent(event_type="bare"), "event: bare\ndata: null\n\n"),
    (SseEvent(id=""), "id: \n\n"),
]


@pytest.mark.parametrize(("item", "expected"), EVENTS, ids=repr)
def test_lines_of_an_event(serve: Serve, item: Any, expected: str) -> None:
    app = Spikard()

    @app.sse("/")
    async def events() -> AsyncIterator[Any]:
        yield item

    assert serve(app).client.get("/").text == expected


def test_head_of_the_answer(serve: Serve) -> None:
    app = Spikard()

    @app.sse("/")
    async def events() -> AsyncIterator[int]:
        yield 1

    response = serve(app).client.get("/")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/event-stream"
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["x-accel-buffering"] == "no"
    assert response.headers["transfer-encoding"] == "chunked"
    assert "content-length" not in response.headers
    assert response.headers["x-request-id"]


def test_sources(serve: Serve) -> None:
    app = Spikard()
    seen = []

    class Countdown:
        def __init__(self) -> None:
            self.left = 2

        async def on_connect(self) -> None:
            seen.append("connect")

        async def next_event(self) -> SseEvent | None:
            self.left -= 1
            return SseEvent(self.left) if self.left >= 0 else None

        async def on_disconnect(self) -> None:
            seen.append("disconnect")

    class Plain:
        def __init__(self, request: Request) -> None:
            self.values = iter([request.path])

        def next_event(self) -> str:
            return next(self.values)

    def plain() -> Iterator[int]:
        yield 1
        yield 0

    async def given() -> list[int]:
        return [1, 0]

    async def producer() -> Countdown:
        return Countdown()

    app.sse("/class")(Countdown)
    app.sse("/plain-class")(Plain)
    app.sse("/object")(Countdown())
    app.sse("/sync")(plain)
    app.sse("/list")(given)
    app.sse("/made")(producer)
    wrapped = SseEventProducer(plain, event_schema={"type": "integer"})
    assert app.sse("/wrapped")(wrapped) is wrapped
    served = serve(app)
    for path in ("/class", "/object", "/sync", "/list", "/made", "/wrapped"):
        assert served.client.get(path).text == "data: 1\n\ndata: 0\n\n", path
    assert served.client.get("/plain-class").text == "data: /plain-class\n\n"
    assert seen == ["connect", "disconnect"] * 3
    assert app.get_sse_producers()["/wrapped"] is wrapped
    assert app.get_sse_producers()["/class"] is Countdown


def test_parameters_are_filled(serve: Serve) -> None:
    app = Spikard()

    @app.sse("/rooms/{room}")
    async def events(
        room: str, request: Request, limit: int = 2, last_event_id: str | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        for _ in range(limit):
            yield {"room": room, "last": last_event_id, "method": request.method}

    served = serve(app)
    event = 'data: {"room":"tea","last":null,"method":"GET"}\n\n'
    assert served.client.get("/rooms/tea").text == event * 2
    assert served.client.get("/rooms/tea", params={"limit": "1"}, headers={"last-event-id": "9"}).text == event.replace(
        "null", '"9"'
    )
    refused = served.client.get("/rooms/tea", params={"limit": "many"})
    assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")
    assert served.client.post("/rooms/tea").status_code == 405
    assert served.client.head("/rooms/tea").content == b""


def test_a_stream_from_a_handler(serve: Serve) -> None:
    app = Spikard()

    @app.post("/")
    async def handler() -> EventStreamResponse:
        return EventStreamResponse(iter([1]), 201, {"x-a": "b", "cache-control": "private"})

    response = serve(app).client.post("/")
    assert (response.status_code, response.text, response.headers["x-a"]) == (201, "data: 1\n\n", "b")
    assert response.headers["cache-control"] == "private"


def test_events_are_sent_as_they_come_and_the_silence_is_filled(serve: Serve) -> None:
    app, gate = Spikard(), asyncio.Event()

    @app.sse("/", keep_alive=0.05)
    async def events() -> AsyncIterator[str]:
        yield "first"
        await gate.wait()
        yield "second"

    @app.post("/")
    async def open_gate() -> None:
        gate.set()

    served = serve(app)
    with served.client.stream("GET", "/") as response:
        parts = response.iter_raw()
        assert next(parts) == b"data: first\n\n"
        assert next(parts) == b": ping\n\n"
        assert next(parts) == b": ping\n\n"
        assert served.client.post("/").status_code == 200
        assert b"data: second\n\n" in b"".join(parts)


@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
def test_a_client_that_leaves_closes_the_generator(serve: Serve, http2: bool) -> None:
    app, closed = Spikard(), []

    @app.sse("/")
    async def events() -> AsyncIterator[str]:
        loop = asyncio.get_running_loop()
        try:
            yield "first"
            await asyncio.Event().wait()
        finally:
            closed.append(asyncio.get_running_loop() is loop)
            done.set()

    done = asyncio.Event()
    served = serve(app)
    client = httpx.Client(base_url=served.url, http1=not http2, http2=http2, trust_env=False, timeout=20)
    with client, client.stream("GET", "/") as response:
        assert response.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
        assert next(response.iter_raw()) == b"data: first\n\n"
    served.call(done.wait)
    assert closed == [True]


def test_a_stop_ends_streams_with_a_comment(serve: Serve) -> None:
    app, closed = Spikard(), []

    @app.sse("/")
    async def events() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            closed.append(True)

    served = serve(app)
    with served.client.stream("GET", "/") as response:
        parts = response.iter_raw()
        assert next(parts) == b"data: 1\n\n"
        served.loop.call_soon_threadsafe(served._stop.request)
        assert b"".join(parts) == b": the server is closing\n\n"
    served.stop()
    assert closed == [True]


def test_a_failing_stream_is_cut(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    app = Spikard()

    @app.sse("/")
    async def events() -> AsyncIterator[int]:
        yield 1
        raise LookupError("secret")

    served = serve(app)
    with pytest.raises(httpx.RemoteProtocolError):
        served.client.get("/")
    assert "secret" in caplog.text


def test_an_event_that_does_not_fit_is_logged_and_not_sent(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    app = Spikard()
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 2}}, "required": ["n"]}

    @app.sse("/log", event_schema=schema)
    @app.sse("/strict", event_schema=schema, validate="strict")
    async def events() -> AsyncIterator[Any]:
        yield {"n": 2}
        yield SseEvent({"n": 1})
        yield {"n": 3}

    served = serve(app)
    with caplog.at_level(logging.ERROR):
        kept, left_out, last, _ = served.client.get("/log").text.split("\n\n")
    assert (kept, last) == ('data: {"n":2}', 'data: {"n":3}')
    # A comment, which nobody gets to see.
    assert left_out.startswith(": left out")
    assert "greater_than_equal" in caplog.text
    first, second, rest = served.client.get("/strict").text.split("\n\n")
    assert (first, rest) == ('data: {"n":2}', "")
    name, data = second.split("\n")
    assert name == "event: error"
    error = msgspec.json.decode(data.removeprefix("data: "))
    assert (error["type"], error["error"]) == ("error", "validation")
    assert [(fault["type"], fault["loc"]) for fault in error["errors"]] == [("greater_than_equal", ["event", "n"])]


def test_the_schema_comes_from_the_annotation() -> None:
    app = Spikard()

    @app.sse("/structs")
    async def structs() -> AsyncIterator[Price]:
        yield Price("Assam", 3)

    @app.sse("/events")
    async def events() -> AsyncIterator[SseEvent]:
        yield SseEvent(1)

    by_path = {route.path: route.response_schema for route in app.get_routes()}
    assert by_path["/structs"] is not None
    assert by_path["/structs"]["required"] == ["tea", "cents"]
    assert by_path["/events"] is None


def test_registration_on_routers_and_the_current_application() -> None:
    router = Router("/v1")

    @router.sse("/router", name="one", tags=["x"])
    async def one() -> AsyncIterator[int]:
        yield 1

    app = Spikard()
    app.include_router(router, prefix="/api")

    @spikard.sse("/module")
    async def two() -> AsyncIterator[int]:
        yield 1

    assert app.get_sse_producers() == {"/api/v1/router": one, "/module": two}
    assert app.url_for("one") == "/api/v1/router"


async def test_the_client_reads_events() -> None:
    app = Spikard()

    @app.sse("/")
    async def events() -> AsyncIterator[Any]:
        yield {"n": 1}
        yield SseEvent("x", event_type="tick", id="7", retry=5)

    @app.get("/none")
    async def none() -> int:
        return 1

    for client_class in (TestClient, MemoryClient):
        async with client_class(app) as client, client.sse("/") as stream:
            first, second = [event async for event in stream]
            assert (first.event, first.json()) == ("message", {"n": 1})
            assert (second.event, second.data, second.id, second.retry) == ("tick", "x", "7", 5)
            with pytest.raises(httpx.HTTPStatusError):
                async with client.sse("/missing"):
                    pass


@pytest.mark.parametrize(
    "wrong",
    [
        {"event_type": "a\nb"},
        {"id": "a\rb"},
        {"id": "a\0b"},
        {"retry": -1},
    ],
    ids=repr,
)
def test_an_event_cannot_hold_lines_of_its_own(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"SseEvent\."):
        SseEvent(1, **wrong)


@pytest.mark.parametrize(
    ("options", "source", "expected"),
    [
        ({"validate": "loud"}, iter, "validate must be"),
        ({"keep_alive": 0}, iter, "keep_alive must be"),
        ({}, 7, "makes no events"),
        ({"event_schema": {"type": "nothing"}}, None, "event_schema"),
    ],
)
def test_what_cannot_be_registered(options: dict[str, Any], source: Any, expected: str) -> None:
    async def events() -> AsyncIterator[int]:
        yield 1

    with pytest.raises(RouteError, match=expected):
        Spikard().sse("/", **options)(events if source is None else source)


def test_what_makes_no_events_is_a_fault(serve: Serve) -> None:
    app = Spikard()

    @app.sse("/")
    async def events() -> dict[str, int]:
        return {"a": 1}

    assert serve(app).client.get("/").status_code == 500
