"""What is written down of a request: the access log, trace ids."""

import asyncio
import json
import logging
import threading

import pytest

from spikard import Request, ServerConfig, Spikard
from tests.conftest import Serve

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


def app_with(**fields: object) -> Spikard:
    app = Spikard(config=ServerConfig(**fields))

    @app.get("/items/{item_id}")
    async def item(item_id: int, request: Request) -> dict:
        return dict(request.state)

    return app


def lines_of(capfd: pytest.CaptureFixture[str]) -> list[str]:
    return capfd.readouterr().out.splitlines()


def test_a_json_line_names_route_request_and_trace(serve: Serve, capfd: pytest.CaptureFixture[str]) -> None:
    app = app_with(access_log="json", request_id_header="X-Call", trusted_proxies=["127.0.0.1"])
    client = serve(app).client
    headers = {"x-call": "call-7", "traceparent": PARENT, "x-forwarded-for": "1.2.3.4", "user-agent": "test"}
    client.get("/items/5?q=a", headers=headers)
    client.get("/nowhere", headers={"traceparent": "not one"})
    first, second = map(json.loads, lines_of(capfd))
    assert (
        first.items()
        >= {
            "client": "1.2.3.4",
            "method": "GET",
            "target": "/items/5?q=a",
            "route": "/items/{item_id}",
            "version": "HTTP/1.1",
            "status": 200,
            "user_agent": "test",
            "request_id": "call-7",
            "trace_id": TRACE,
        }.items()
    )
    assert second.items() >= {"target": "/nowhere", "route": None, "status": 404, "trace_id": None}.items()


def test_a_client_that_leaves_before_the_answer_is_logged_as_499(
    serve: Serve, capfd: pytest.CaptureFixture[str]
) -> None:
    app = app_with(access_log="json")
    entered, released = threading.Event(), threading.Event()

    @app.get("/slow/{name}")
    async def slow(name: str) -> str:
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            released.set()
        return name

    served = serve(app)
    with served.connect() as connection:
        connection.sendall(b"GET /slow/tea HTTP/1.1\r\nhost: x\r\nx-request-id: gone\r\n\r\n")
        assert entered.wait(10)
    assert released.wait(10)
    # Answered by the thread that noticed the end.
    served.client.get("/items/5")
    lines = {line["request_id"]: line for line in map(json.loads, lines_of(capfd))}
    assert len(lines) == 2
    expected = {"method": "GET", "target": "/slow/tea", "route": "/slow/{name}", "status": 499, "bytes": 0}
    assert lines["gone"].items() >= expected.items()


def test_a_text_line(serve: Serve, capfd: pytest.CaptureFixture[str]) -> None:
    serve(app_with(access_log=True)).client.get("/items/5", headers={"x-request-id": "call-7"})
    (line,) = lines_of(capfd)
    assert '"GET /items/5 HTTP/1.1" 200 2 ' in line
    assert line.endswith("us call-7")


def test_a_logger_with_a_handler_gets_the_lines(serve: Serve, capfd: pytest.CaptureFixture[str]) -> None:
    logger, records = logging.getLogger("spikard.access"), []
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[method-assign]
    logger.addHandler(handler)
    logger.setLevel("INFO")
    try:
        serve(app_with(access_log="json")).client.get("/items/5?q=100%25s")
    finally:
        logger.removeHandler(handler)
        logger.setLevel("NOTSET")
    (record,) = records
    assert record.levelname == "INFO"
    assert json.loads(record.getMessage())["target"] == "/items/5?q=100%25s"
    assert lines_of(capfd) == []


def test_no_line_unless_asked_for(serve: Serve, capfd: pytest.CaptureFixture[str]) -> None:
    serve(app_with()).client.get("/items/5")
    assert lines_of(capfd) == []


def test_nobody_can_write_lines_of_his_own(serve: Serve, capfd: pytest.CaptureFixture[str]) -> None:
    served = serve(app_with(access_log=True))
    head = 'GET /items/5?"x" HTTP/1.1\r\nhost: x\r\nuser-agent: a\tb\r\nconnection: close\r\n\r\n'
    served.exchange(head.encode())
    assert len(lines_of(capfd)) <= 1


def test_the_trace_is_in_the_state_of_the_request(serve: Serve) -> None:
    client = serve(app_with()).client
    assert client.get("/items/5", headers={"traceparent": PARENT}).json() == {
        "traceparent": PARENT,
        "trace_id": TRACE,
        "parent_span_id": "00f067aa0ba902b7",
    }
    for other in ("", PARENT.upper(), f"{PARENT}-more", f"00-{'0' * 32}-00f067aa0ba902b7-01"):
        assert client.get("/items/5", headers={"traceparent": other}).json() == {}
    assert client.get("/items/5").json() == {}
