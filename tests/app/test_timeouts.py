"""Requests that take too long, wherever they hang."""

import asyncio
import logging
import threading

import pytest

from spikard import Request, ServerConfig, Spikard
from spikard.config import RouteConfig
from tests.conftest import Serve


def app_with(seconds: float = 0.1) -> Spikard:
    return Spikard(config=ServerConfig(request_timeout=seconds))


def test_a_thread_that_goes_on_is_logged(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    app = app_with()
    release, ended = threading.Event(), threading.Event()

    @app.get("/slow")
    def slow() -> str:
        release.wait(20)
        ended.set()
        return "late"

    @app.get("/quick")
    def quick() -> str:
        return "quick"

    client = serve(app).client
    try:
        with caplog.at_level(logging.WARNING, "spikard.error"):
            response = client.get("/slow", headers={"x-request-id": "seven"})
        assert response.status_code == 408
        assert response.json()["detail"] == "Request timed out after 0.1 seconds"
        (record,) = [one for one in caplog.records if "still takes a thread" in one.message]
        assert record.levelname == "WARNING"
        assert "slow" in record.message
        assert record.__dict__["request_id"] == "seven"
        assert client.get("/quick").json() == "quick"
    finally:
        release.set()
    assert ended.wait(10)


def test_a_task_is_cancelled_and_not_logged(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    app, cancelled = app_with(), threading.Event()

    @app.get("/slow")
    async def slow() -> str:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return "never"

    assert serve(app).client.get("/slow").status_code == 408
    assert cancelled.wait(10)
    assert [one for one in caplog.records if "thread" in one.message] == []


@pytest.mark.parametrize("phase", ["on_request", "pre_validation", "pre_handler"])
def test_hooks_that_hang_are_given_up(serve: Serve, phase: str) -> None:
    app, cancelled = app_with(), threading.Event()

    async def hang(request: Request) -> None:
        if request.path != "/slow":
            return
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    getattr(app, phase)(hang)

    @app.get("/slow")
    async def slow() -> str:
        return "slow"

    @app.get("/quick")
    async def quick() -> str:
        return "quick"

    client = serve(app).client
    response = client.get("/slow", headers={"x-request-id": "seven"})
    assert response.status_code == 408
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["request_id"] == "seven"
    assert cancelled.wait(10)
    assert client.get("/quick").json() == "quick"


def test_a_route_may_give_its_hooks_more_time(serve: Serve) -> None:
    app = app_with(0.05)

    @app.pre_validation
    async def ponder(request: Request) -> None:
        await asyncio.sleep(0.2)

    @app.get("/patient", config=RouteConfig(request_timeout=20))
    async def patient() -> str:
        return "patient"

    @app.get("/hasty")
    async def hasty() -> str:
        return "hasty"

    client = serve(app).client
    assert client.get("/patient").json() == "patient"
    assert client.get("/hasty").status_code == 408
