"""Work that runs after the answer."""

import asyncio
import threading

import pytest

from spikard import BackgroundTasks, Response, Spikard
from tests.conftest import Serve


class TestBackground:
    def test_work_runs_in_order_after_the_answer(self, serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
        app, events, done = Spikard(), [], threading.Event()

        async def asynchronous(name: str) -> None:
            await asyncio.sleep(0)
            events.append(name)

        def failing() -> None:
            raise LookupError("in the background")

        @app.get("/parameter")
        async def parameter(tasks: BackgroundTasks) -> int:
            tasks.add_task(asynchronous, "first")
            tasks.add_task(failing)
            tasks.add_task(events.append, "second")
            tasks.add_task(done.set)
            return len(events)

        client = serve(app).client
        assert client.get("/parameter").json() == 0
        assert done.wait(10)
        assert events == ["first", "second"]
        assert "in the background" in caplog.text

    def test_work_of_a_response(self, serve: Serve) -> None:
        app, done = Spikard(), threading.Event()

        @app.get("/async")
        async def asynchronous() -> Response:
            return Response("x", background=done.set)

        @app.get("/thread")
        def thread(tasks: BackgroundTasks) -> str:
            tasks.add_task(done.set)
            return "x"

        client = serve(app).client
        for path in ("/async", "/thread"):
            done.clear()
            assert client.get(path).json() == "x"
            assert done.wait(10)
