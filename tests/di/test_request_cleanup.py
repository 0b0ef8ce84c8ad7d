"""When a request gives back what it got, in each way of running."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from spikard import (
    BackgroundTasks,
    HTTPException,
    Provide,
    Response,
    Spikard,
    StreamingResponse,
)
from tests.conftest import Serve
from tests.di.events import Events, cleaned, cleaned_async


class TestCleanup:
    @pytest.fixture(params=["sync", "async"])
    def provider(self, request: pytest.FixtureRequest) -> Callable[..., Any]:
        return cleaned if request.param == "sync" else cleaned_async

    def test_after_the_answer_and_its_background_tasks(self, serve: Serve, provider: Callable[..., Any]) -> None:
        app, events = Spikard(), Events()
        answered, go_on = threading.Event(), threading.Event()
        app.provide("a", provider(events, "a"))

        def outer(a: str) -> Iterator[str]:
            yield a + "b"
            events("close b")

        app.provide("b", outer)

        async def background() -> None:
            await asyncio.to_thread(go_on.wait, 10)
            events("background")

        @app.get("/tasks")
        async def handler(a: str, b: str, tasks: BackgroundTasks) -> str:
            tasks.add_task(background)
            return b

        @app.get("/response")
        async def response(a: str, b: str) -> Response:
            return Response(b, background=background)

        @app.get("/thread")
        def thread(b: str, tasks: BackgroundTasks) -> Response:
            tasks.add_task(events, "second")
            return Response(b, background=background)

        client = serve(app).client
        for path in ("/tasks", "/response", "/thread"):
            answered.clear()
            go_on.clear()
            events.seen.clear()
            assert client.get(path).json() == "ab"
            assert events.seen == ["open a"]
            go_on.set()
            expected = ["open a", "background", *(["second"] if path == "/thread" else []), "close b", "close a"]
            assert events.wait_for("close a") == expected

    def test_the_handlers_exception_is_seen(self, serve: Serve, provider: Callable[..., Any]) -> None:
        app, events = Spikard(), Events()
        app.provide("value", provider(events))

        @app.get("/direct")
        async def direct(value: str) -> None:
            raise HTTPException(409, value)

        @app.get("/task")
        async def task(value: str) -> None:
            await asyncio.sleep(0)
            raise HTTPException(409, value)

        @app.get("/thread")
        def thread(value: str) -> None:
            raise HTTPException(409, value)

        @app.get("/inline", inline=True)
        def inline(value: str) -> None:
            raise HTTPException(409, value)

        client = serve(app).client
        for path in ("/direct", "/task", "/thread", "/inline"):
            events.seen.clear()
            answer = client.get(path)
            assert (answer.status_code, answer.json()["detail"]) == (409, "value")
            assert events.wait_for("close value") == ["open value", "value saw HTTPException", "close value"]

    def test_an_answer_that_cannot_be_made(self, serve: Serve, provider: Callable[..., Any]) -> None:
        app, events = Spikard(), Events()
        app.provide("value", provider(events))

        @app.get("/")
        async def handler(value: str) -> Any:
            return object()

        assert serve(app).client.get("/").status_code == 500
        events.wait_for("close value")

    def test_a_cleanup_that_fails_is_logged(self, serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
        app, events = Spikard(), Events()

        def failing() -> Iterator[str]:
            yield "x"
            events("failing")
            raise ConnectionError("lost")

        app.provide("a", cleaned(events, "a")).provide("failing", failing)

        @app.get("/")
        async def handler(a: str, failing: str) -> str:
            return failing

        client = serve(app).client
        assert client.get("/").json() == "x"
        events.wait_for("close a")
        assert client.get("/").status_code == 200
        assert "cleanup of a dependency failed" in caplog.text

    @pytest.mark.parametrize("kind", ["generator", "async generator", "response"])
    def test_streams_keep_their_scope(self, serve: Serve, provider: Callable[..., Any], kind: str) -> None:
        app, events = Spikard(), Events()
        go_on = threading.Event()
        app.provide("value", provider(events))

        async def chunks(value: str) -> AsyncIterator[str]:
            yield value
            await asyncio.to_thread(go_on.wait, 10)
            events("last chunk")
            yield "end"

        def plain(value: str) -> Iterator[str]:
            yield value
            go_on.wait(10)
            events("last chunk")
            yield "end"

        if kind == "response":

            @app.get("/")
            async def handler(value: str) -> StreamingResponse:
                return StreamingResponse(chunks(value))
        else:
            app.get("/")(chunks if kind == "async generator" else plain)

        client = serve(app).client
        with client.stream("GET", "/") as answer:
            parts = answer.iter_text()
            assert next(parts) == "value"
            assert events.seen == ["open value"]
            go_on.set()
            assert "".join(parts) == "end"
        assert events.wait_for("close value") == ["open value", "last chunk", "close value"]

    def test_a_stream_that_is_left(self, serve: Serve, provider: Callable[..., Any]) -> None:
        app, events = Spikard(), Events()
        app.provide("value", provider(events))

        @app.get("/")
        async def endless(value: str) -> AsyncIterator[str]:
            try:
                while True:
                    yield value * 1000
            finally:
                events("left")

        served = serve(app)
        with served.connect() as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            received = b""
            while b"value" not in received:
                received += connection.recv(1000)
        assert events.wait_for("close value") == ["open value", "left", "close value"]

    def test_head_of_a_stream(self, serve: Serve, provider: Callable[..., Any]) -> None:
        app, events = Spikard(), Events()
        app.provide("value", provider(events))

        @app.get("/")
        async def stream(value: str, tasks: BackgroundTasks) -> StreamingResponse:
            async def chunks() -> AsyncIterator[str]:
                events("never")
                yield value

            tasks.add_task(events, "task")
            return StreamingResponse(chunks())

        assert serve(app).client.head("/").status_code == 200
        assert events.wait_for("close value") == ["open value", "task", "close value"]

    def test_a_client_that_goes(self, serve: Serve, provider: Callable[..., Any]) -> None:
        app, events = Spikard(), Events()
        app.provide("value", provider(events))

        @app.get("/")
        async def handler(value: str) -> None:
            events("handler")
            await asyncio.Event().wait()

        served = serve(app)
        with served.connect() as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            events.wait_for("handler")
        seen = events.wait_for("close value")
        assert seen == ["open value", "handler", "value saw CancelledError", "close value"]

    def test_singletons_end_with_the_server(self, serve: Serve, provider: Callable[..., Any]) -> None:
        app, events = Spikard(), Events()
        app.provide("value", Provide(provider(events), singleton=True))
        app.on_shutdown(lambda: events("hook"))

        @app.get("/")
        async def handler(value: str) -> str:
            return value

        served = serve(app)
        assert served.client.get("/").json() == "value"
        served.stop()
        assert events.seen == ["open value", "hook", "close value"]
