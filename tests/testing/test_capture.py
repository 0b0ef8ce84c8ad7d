"""Background work as tests see it."""

import asyncio
import logging

import pytest

from spikard import BackgroundTasks, Response, Spikard, background
from spikard.testing import TestClient, capture_background


async def send(name: str) -> str:
    await asyncio.sleep(0)
    return f"sent to {name}"


async def fail() -> None:
    raise LookupError("no such tea")


def count(number: int) -> int:
    return number + 1


@pytest.fixture
def app() -> Spikard:
    app = Spikard()

    @app.post("/run")
    async def run() -> None:
        background.run(send("ada"))
        background.run(count, 1)

    @app.post("/fail")
    async def failing() -> None:
        background.run(fail())

    @app.post("/after")
    async def after(tasks: BackgroundTasks) -> None:
        tasks.add_task(send, "grace")
        tasks.add_task(fail)
        tasks.add_task(count, 2)

    @app.post("/response")
    async def response() -> Response:
        return Response("done", background=fail)

    @app.post("/thread")
    def thread() -> None:
        background.run(send("edsger"))

    return app


async def test_work_is_seen_with_its_results(app: Spikard) -> None:
    async with TestClient(app) as client:
        with capture_background() as captured:
            await client.post("/run")
            await captured.wait()
    assert captured.names == ["send", "count"]
    assert [one.result for one in captured.work] == ["sent to ada", 2]
    assert all(one.done for one in captured.work)


@pytest.mark.parametrize("path", ["/fail", "/response"])
async def test_faults_are_seen(app: Spikard, path: str, caplog: pytest.LogCaptureFixture) -> None:
    async with TestClient(app) as client:
        with capture_background() as captured, caplog.at_level(logging.CRITICAL):
            await client.post(path)
            await captured.wait()
    (fault,) = captured.exceptions
    assert str(fault) == "no such tea"
    with pytest.raises(LookupError):
        assert captured.work[0].result


async def test_tasks_after_the_answer_are_seen_one_by_one(app: Spikard, caplog: pytest.LogCaptureFixture) -> None:
    with capture_background() as captured, caplog.at_level(logging.CRITICAL):
        # Leaving the client waits for background work.
        async with TestClient(app) as client:
            await client.post("/after")
    assert captured.names == ["send", "fail", "count"]
    assert [str(fault) for fault in captured.exceptions] == ["no such tea"]
    assert captured.work[2].result == 3


def test_plain_tests_see_it_too(app: Spikard) -> None:
    with TestClient(app) as client, capture_background() as captured:
        client.sync.post("/thread")
        captured.join()
    assert captured.work[0].result == "sent to edsger"


async def test_work_that_runs_has_no_result_yet() -> None:
    held = asyncio.Event()

    async def hold() -> None:
        await held.wait()

    with capture_background() as captured:
        task = background.run(hold())
        with pytest.raises(RuntimeError, match="wait"):
            assert captured.work[0].result
        with pytest.raises(TimeoutError):
            await captured.wait(0.01)
        task.cancel()
        await captured.wait()
    assert captured.exceptions == []
    assert captured.work[0].done


async def test_nothing_is_seen_outside_the_block() -> None:
    with capture_background() as captured:
        pass
    await background.run(send("nobody"))
    assert captured.work == []
    assert background.observers == []
