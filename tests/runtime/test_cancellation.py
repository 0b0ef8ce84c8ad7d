"""A client that goes away takes its request along."""

import asyncio
import threading

import pytest

from spikard import Spikard
from tests.conftest import Serve


class Probe:
    """A handler that waits until it is cancelled."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.cancelled = threading.Event()

    async def __call__(self) -> str:
        self.entered.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return "never"


def test_hanging_up_cancels_the_handler(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    app, probe = Spikard(), Probe()
    app.get("/")(probe)

    @app.get("/fine")
    async def fine() -> str:
        return "fine"

    served = serve(app)
    with served.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        assert probe.entered.wait(10)
    assert probe.cancelled.wait(10)
    assert served.client.get("/fine").json() == "fine"
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_a_handler_may_finish_what_it_must(serve: Serve) -> None:
    app = Spikard()
    entered, finished = threading.Event(), threading.Event()

    @app.get("/")
    async def handler() -> None:
        entered.set()
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            finished.set()

    with serve(app).connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        assert entered.wait(10)
    assert finished.wait(10)


def test_shielded_work_goes_on(serve: Serve) -> None:
    app = Spikard()
    entered, finished = threading.Event(), threading.Event()
    gate = asyncio.Event()

    async def work() -> None:
        await gate.wait()
        finished.set()

    @app.get("/")
    async def handler() -> None:
        task = asyncio.create_task(work())
        entered.set()
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            gate.set()
            await task
            raise

    with serve(app).connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        assert entered.wait(10)
    assert finished.wait(10)


def test_a_thread_is_not_disturbed(serve: Serve) -> None:
    app = Spikard()
    entered, gate, finished = threading.Event(), threading.Event(), threading.Event()

    @app.get("/")
    def handler() -> str:
        entered.set()
        gate.wait(20)
        finished.set()
        return "done"

    with serve(app).connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        assert entered.wait(10)
    gate.set()
    assert finished.wait(10)


def test_shutdown_cancels_what_does_not_end(serve: Serve) -> None:
    app, probe = Spikard(), Probe()
    app.config = app.config.copy(shutdown_timeout=1)
    app.get("/")(probe)
    served = serve(app)
    with served.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        assert probe.entered.wait(10)
        served.stop()
    assert probe.cancelled.is_set()
