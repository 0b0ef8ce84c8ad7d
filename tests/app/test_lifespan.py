"""What runs before the first request and after the last one, and in which order."""

import asyncio
import contextvars
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from spikard import Spikard
from spikard.errors import ConfigError
from tests.served import Mode, Served


def test_everything_runs_once_and_in_order(mode: Mode) -> None:
    events: list[str] = []

    @asynccontextmanager
    async def lifespan(app: Spikard) -> AsyncIterator[dict]:
        events.append("enter")
        yield {"pool": "pool"}
        events.append("leave")

    app = Spikard(lifespan=lifespan)

    @app.on_startup
    async def first() -> None:
        events.append(f"first {app.state.pool}")

    @app.on_startup
    def second(application: Spikard) -> None:
        assert application is app
        events.append("second")

    @app.on_shutdown
    def last() -> None:
        events.append("last")

    @app.on_shutdown
    async def before_last() -> None:
        events.append("before last")

    @app.on_shutdown(early=True)
    async def early() -> None:
        events.append("early")

    @app.get("/")
    async def handler() -> str:
        events.append("request")
        return app.state.pool

    with Served(app, mode) as served:
        assert served.client.get("/").json() == "pool"
    assert events == ["enter", "first pool", "second", "request", "early", "before last", "last", "leave"]


def test_a_failing_start_up_undoes_what_was_done(mode: Mode) -> None:
    events: list[str] = []

    @asynccontextmanager
    async def lifespan(app: Spikard) -> AsyncIterator[None]:
        events.append("enter")
        try:
            yield
        finally:
            events.append("leave")

    app = Spikard(lifespan=lifespan)

    @app.on_startup
    async def fail() -> None:
        raise LookupError("no database")

    @app.on_shutdown
    def shutdown() -> None:
        events.append("shutdown")

    with pytest.raises(LookupError, match="no database"), Served(app, mode):
        pytest.fail("must not start")
    assert events == ["enter", "shutdown", "leave"]


def test_a_failing_shutdown_hook_is_logged_and_the_others_run(mode: Mode, caplog: pytest.LogCaptureFixture) -> None:
    events: list[str] = []
    app = Spikard()

    @app.on_shutdown
    def other() -> None:
        events.append("other")

    @app.on_shutdown
    async def failing() -> None:
        raise LookupError("gone already")

    with Served(app, mode):
        pass
    assert events == ["other"]
    assert "gone already" in caplog.text


def test_a_lifespan_may_span_a_task_group(mode: Mode) -> None:
    cancelled = []

    @asynccontextmanager
    async def lifespan(app: Spikard) -> AsyncIterator[None]:
        async def forever() -> None:
            try:
                await anyio.sleep_forever()
            finally:
                cancelled.append(True)

        async with anyio.create_task_group() as group:
            group.start_soon(forever)
            yield
            group.cancel_scope.cancel()

    with Served(Spikard(lifespan=lifespan), mode):
        pass
    assert cancelled == [True]


def test_hooks_and_handlers_share_the_loop(mode: Mode) -> None:
    loops = []
    app = Spikard()

    @app.on_startup
    async def start() -> None:
        loops.append(asyncio.get_running_loop())

    @app.get("/")
    async def handler() -> None:
        loops.append(asyncio.get_running_loop())

    with Served(app, mode) as served:
        served.client.get("/")
        loops.append(served.loop)
    assert loops[0] is loops[1] is loops[2]


def test_context_variables_of_the_start_up_are_seen_by_handlers(mode: Mode) -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")
    app = Spikard()

    @app.on_startup
    async def start() -> None:
        variable.set("from start-up")

    @app.get("/async")
    async def asynchronous() -> str:
        await asyncio.sleep(0)
        return variable.get()

    @app.get("/direct")
    async def direct() -> str:
        return variable.get()

    @app.get("/thread")
    def thread() -> str:
        return variable.get()

    with Served(app, mode) as served:
        assert {served.client.get(path).json() for path in ("/async", "/direct", "/thread")} == {"from start-up"}


def test_a_lifespan_that_is_no_context_manager_is_a_configuration_fault(mode: Mode) -> None:
    async def lifespan(app: Spikard) -> AsyncIterator[None]:
        yield

    with pytest.raises(ConfigError, match="asynccontextmanager"), Served(Spikard(lifespan=lifespan), mode):
        pytest.fail("must not start")


def test_an_application_can_be_served_again(mode: Mode) -> None:
    starts = []
    app = Spikard()
    app.on_startup(lambda: starts.append(1))

    @app.get("/")
    async def handler() -> int:
        return len(starts)

    for turn in (1, 2):
        with Served(app, mode) as served:
            assert served.client.get("/").json() == turn


def test_requests_under_way_finish_before_shutdown(mode: Mode) -> None:
    import threading

    events: list[str] = []
    app = Spikard()
    entered, stopping = threading.Event(), asyncio.Event()

    @app.get("/")
    async def handler() -> str:
        entered.set()
        await stopping.wait()
        events.append("answered")
        return "done"

    @app.on_shutdown(early=True)
    async def early() -> None:
        events.append("early")
        stopping.set()

    @app.on_shutdown
    async def shutdown() -> None:
        events.append("shutdown")

    with Served(app, mode) as served:
        answers = []
        thread = threading.Thread(target=lambda: answers.append(served.client.get("/")))
        thread.start()
        assert entered.wait(10)
        served.stop()
        thread.join(10)
    assert answers[0].json() == "done"
    if mode is Mode.INLINE:
        # Elsewhere the answer may be on its way before the network's thread hears of the stop.
        assert answers[0].headers["connection"] == "close"
    assert events == ["early", "answered", "shutdown"]


def test_a_port_that_is_taken_is_one_clear_line(mode: Mode) -> None:
    import socket

    from spikard.app.serving import serve

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        app = Spikard()
        stopped = []
        app.on_shutdown(lambda: stopped.append(True))
        with asyncio.Runner(loop_factory=mode.new_loop) as runner, pytest.raises(ConfigError) as refused:
            runner.run(serve(app, app.config.copy(port=port)))
    assert str(refused.value).startswith(f"cannot listen on 127.0.0.1:{port}: ")
    assert "\n" not in str(refused.value)
    assert stopped == [True]
