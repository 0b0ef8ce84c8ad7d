"""Sizes and times that requests must keep."""

import asyncio
import socket
import threading

import pytest

from spikard import Request, ServerConfig, Spikard
from spikard.config import RouteConfig
from tests.conftest import Serve

PROBLEM = "application/problem+json"


def app_with(**fields: object) -> tuple[Spikard, list]:
    app, calls = Spikard(config=ServerConfig(**fields)), []

    @app.post("/")
    async def handler(body: dict) -> int:
        calls.append(body)
        return len(calls)

    @app.get("/")
    async def root(request: Request) -> str:
        return "root"

    return app, calls


def kind(response) -> tuple[int, str]:
    assert response.headers["content-type"] == PROBLEM
    return response.status_code, response.json()["type"].rpartition("/")[2]


def test_a_body_above_the_limit_is_refused_by_its_length(serve: Serve) -> None:
    app, calls = app_with(max_body_size=100)
    client = serve(app).client
    assert client.post("/", content=b'{"a":"' + b"x" * 92 + b'"}').status_code == 200
    response = client.post("/", content=b'{"a":"' + b"x" * 93 + b'"}')
    assert kind(response) == (413, "payload-too-large")
    assert response.json()["detail"] == "Request body size exceeds maximum allowed size of 100 bytes"
    assert response.headers["connection"] == "close"
    assert len(calls) == 1


def test_a_body_above_the_limit_is_refused_before_it_is_sent(serve: Serve) -> None:
    app, calls = app_with(max_body_size=100)
    answer = serve(app).exchange(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert calls == []


def test_a_chunked_body_is_counted(serve: Serve) -> None:
    app, calls = app_with(max_body_size=100)
    head = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    answer = serve(app).exchange(head + b"50\r\n" + b" " * 0x50 + b"\r\n" + b"50\r\n" + b" " * 0x50 + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert calls == []


def test_no_limit(serve: Serve) -> None:
    app, calls = app_with(max_body_size=None)
    content = b'{"a":"' + b"x" * 11_000_000 + b'"}'
    assert serve(app).client.post("/", content=content).status_code == 200
    assert len(calls[0]["a"]) == 11_000_000


def test_a_route_has_limits_of_its_own(serve: Serve) -> None:
    app, _ = app_with(max_body_size=10)

    @app.post("/large", config=RouteConfig(max_body_size=1000))
    async def large(body: dict) -> str:
        return "large"

    @app.post("/small", config=RouteConfig(max_body_size=5))
    async def small(body: dict) -> str:
        return "small"

    client = serve(app).client
    content = b'{"a":"' + b"x" * 100 + b'"}'
    assert client.post("/large", content=content).json() == "large"
    assert client.post("/small", content=b'{"a":1}').status_code == 413
    assert client.post("/", content=content).status_code == 413


def test_the_header_block_is_limited(serve: Serve) -> None:
    app, _ = app_with(max_header_size=8192, max_headers=20)
    client = serve(app).client
    assert client.get("/", headers={"x": "y" * 6000}).status_code == 200
    assert client.get("/", headers={"x": "y" * 9000}).status_code == 431
    assert client.get("/", headers={f"x{i}": "y" for i in range(30)}).status_code == 431


def test_large_headers_are_fine_by_default(serve: Serve) -> None:
    app, _ = app_with()
    assert serve(app).client.get("/", headers={"x": "y" * 10_000}).status_code == 200


def test_the_address_is_limited(serve: Serve) -> None:
    app, _ = app_with(max_uri_length=200)
    client = serve(app).client
    assert client.get("/?" + "q" * 190).status_code == 200
    assert kind(client.get("/?" + "q" * 250)) == (414, "uri-too-long")


def test_unknown_hosts_are_refused(serve: Serve) -> None:
    app, _ = app_with(allowed_hosts=["example.org", "*.example.com"])
    client = serve(app).client
    for host, status in {"example.org": 200, "EXAMPLE.org:80": 200, "a.example.com": 200, "evil.org": 400}.items():
        assert client.get("/", headers={"host": host}).status_code == status, host


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\na: b\r\n c\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost : x\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)
def test_ambiguous_requests_are_refused_and_the_connection_closed(serve: Serve, data: bytes) -> None:
    app, calls = app_with()
    assert serve(app).exchange(data).startswith(b"HTTP/1.1 400 ")
    assert calls == []


def test_a_body_shorter_than_announced_never_reaches_the_handler(serve: Serve) -> None:
    app, calls = app_with()
    with serve(app).connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 50\r\n\r\n{}")
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")
    assert calls == []


class TestTimes:
    def test_a_slow_handler_is_cancelled(self, serve: Serve) -> None:
        app = Spikard(config=ServerConfig(request_timeout=0.05))
        cancelled = threading.Event()

        @app.get("/slow")
        async def slow() -> None:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                cancelled.set()
                raise

        @app.get("/patient", config=RouteConfig(request_timeout=None))
        async def patient() -> str:
            await asyncio.sleep(0.15)
            return "done"

        client = serve(app).client
        response = client.get("/slow")
        assert kind(response) == (408, "request-timeout")
        assert response.json()["detail"] == "Request timed out after 0.05 seconds"
        assert cancelled.wait(10)
        assert client.get("/patient").json() == "done"

    def test_a_slow_thread_is_answered_for(self, serve: Serve) -> None:
        app = Spikard(config=ServerConfig(request_timeout=0.05))
        released = threading.Event()

        @app.get("/slow")
        def slow() -> None:
            released.wait(20)

        client = serve(app).client
        try:
            assert kind(client.get("/slow")) == (408, "request-timeout")
        finally:
            released.set()

    def test_slow_headers_end_the_connection(self, serve: Serve) -> None:
        app, _ = app_with(header_read_timeout=0.1)
        answer = serve(app).exchange(b"GET / HTTP/1.1\r\nhost: x\r\n")
        assert answer == b"" or answer.startswith(b"HTTP/1.1 408 ")

    def test_a_slow_body_is_a_408(self, serve: Serve) -> None:
        app, calls = app_with(body_read_timeout=0.1)
        answer = serve(app).exchange(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 50\r\n\r\n{")
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert calls == []

    def test_idle_connections_are_closed(self, serve: Serve) -> None:
        app, _ = app_with(keep_alive_timeout=0.1)
        answer = serve(app).exchange(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 ")


def test_request_ids(serve: Serve) -> None:
    app = Spikard()

    @app.get("/")
    async def handler(request: Request) -> str | None:
        return request.request_id

    client = serve(app).client
    response = client.get("/", headers={"x-request-id": "given"})
    assert (response.json(), response.headers["x-request-id"]) == ("given", "given")
    first, second = client.get("/"), client.get("/")
    assert first.json() == first.headers["x-request-id"] != second.json()
    assert client.get("/", headers={"x-request-id": "has space"}).json() != "has space"
    assert client.get("/nope").headers["x-request-id"]


def test_request_ids_can_be_switched_off(serve: Serve) -> None:
    app, _ = app_with(enable_request_id=False)
    assert "x-request-id" not in serve(app).client.get("/", headers={"x-request-id": "given"}).headers
