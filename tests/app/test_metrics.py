"""Figures for Prometheus, and the path for health checks."""

import asyncio
import re
import threading
from collections.abc import AsyncIterator

from websockets.sync.client import connect

from spikard import HTTPException, ServerConfig, Spikard, StreamingResponse
from spikard.config import CorsConfig
from tests.conftest import Serve
from tests.served import HOST, Served

SAMPLE = re.compile(r"^([a-z_]+)(?:{(.*)})? (\S+)$", re.MULTILINE)


def app_with(**fields: object) -> Spikard:
    app = Spikard(config=ServerConfig(metrics_path="/metrics", **fields))

    @app.get("/items/{item_id}")
    async def item(item_id: int) -> int:
        return item_id

    @app.get("/broken")
    async def broken() -> str:
        raise HTTPException(503)

    return app


def figures(served: Served) -> dict[str, float]:
    """Every sample, by its name with its labels."""
    text = served.client.get("/metrics").text
    return {found[1] + (f"{{{found[2]}}}" if found[2] else ""): float(found[3]) for found in SAMPLE.finditer(text)}


def test_requests_are_counted_by_route_template_and_status(serve: Serve) -> None:
    served = serve(app_with())
    for path in ("/items/1", "/items/2", "/items/x", "/broken", "/nowhere", "/also-nowhere"):
        served.client.get(path)
    served.client.head("/items/1")
    found = figures(served)
    route = 'method="GET",route="/items/{item_id}"'
    assert found[f'http_requests_total{{{route},status="200"}}'] == 3
    assert found[f'http_requests_total{{{route},status="422"}}'] == 1
    assert found['http_requests_total{method="GET",route="/broken",status="503"}'] == 1
    assert found['http_requests_total{method="",route="",status="404"}'] == 2
    assert found['http_request_errors_total{method="GET",route="/broken"}'] == 1
    assert found[f"http_request_errors_total{{{route}}}"] == 0
    assert found[f"http_request_duration_seconds_count{{{route}}}"] == 4
    assert found[f'http_request_duration_seconds_bucket{{{route},le="+Inf"}}'] == 4
    assert 0 < found[f"http_request_duration_seconds_sum{{{route}}}"] < 4
    assert found["http_requests_in_flight"] == 1
    assert found["http_connections"] == 1


def test_the_text_is_what_prometheus_reads(serve: Serve) -> None:
    response = serve(app_with()).client.get("/metrics")
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    lines = response.text.splitlines()
    for line in lines:
        assert line.startswith(("# HELP ", "# TYPE ")) or SAMPLE.fullmatch(line), line
    names = [line.split()[2] for line in lines if line.startswith("# TYPE ")]
    assert len(names) == len(set(names))


def test_what_is_under_way_and_what_was_given_up(serve: Serve) -> None:
    app = app_with()
    entered, released = threading.Event(), threading.Event()

    @app.get("/slow")
    async def slow() -> str:
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            released.set()
        return "never"

    served = serve(app)
    with served.connect() as connection:
        connection.sendall(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n")
        assert entered.wait(10)
        assert figures(served)["http_requests_in_flight"] == 2
    assert released.wait(10)
    found = figures(served)
    assert found["http_requests_in_flight"] == 1
    assert found["http_requests_aborted_total"] == 1


def test_a_stream_is_under_way_until_its_end(serve: Serve) -> None:
    app = app_with()
    go_on = threading.Event()

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def chunks() -> AsyncIterator[str]:
            yield "a"
            await asyncio.to_thread(go_on.wait, 10)
            yield "b"

        return StreamingResponse(chunks())

    served = serve(app)
    with served.client.stream("GET", "/stream") as response:
        parts = response.iter_text()
        assert next(parts) == "a"
        with served.connect() as connection:
            connection.sendall(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            text = b"".join(iter(lambda: connection.recv(65536), b""))
        assert b"\nhttp_requests_in_flight 2\n" in text
        go_on.set()
        assert "".join(parts) == "b"
    assert figures(served)["http_requests_in_flight"] == 1


def test_pages_of_the_server_itself(serve: Serve) -> None:
    client = serve(app_with(health_path="/healthz", cors=CorsConfig(allowed_origins=[]))).client
    for path in ("/healthz", "/metrics"):
        assert client.get(path).status_code == 200
        head = client.head(path)
        assert (head.status_code, head.content) == (200, b"")
        assert client.options(path).headers["allow"] == "GET, HEAD, OPTIONS"
        refused = client.post(path)
        assert refused.status_code == 405
        assert refused.headers["allow"] == "GET, HEAD, OPTIONS"


def test_nothing_is_there_unless_asked_for(serve: Serve) -> None:
    client = serve(Spikard()).client
    assert client.get("/metrics").status_code == 404
    assert client.get("/healthz").status_code == 404


def test_a_route_of_the_same_path_wins(serve: Serve) -> None:
    app = app_with()

    @app.get("/metrics")
    async def own() -> str:
        return "own"

    assert serve(app).client.get("/metrics").json() == "own"


def test_websockets_are_counted_apart(serve: Serve) -> None:
    app = app_with()

    @app.websocket("/echo")
    async def echo(message: str) -> str:
        return message

    served = serve(app)
    with connect(f"ws://{HOST}:{served.port}/echo") as socket:
        socket.send('"a"')
        assert socket.recv() == '"a"'
        found = figures(served)
        assert found["websocket_connections"] == 1
        assert found["http_requests_in_flight"] == 1
        assert found['http_requests_total{method="GET",route="/echo",status="101"}'] == 1
    with connect(f"ws://{HOST}:{served.port}/echo") as socket:
        socket.send('"b"')
        assert socket.recv() == '"b"'
        assert figures(served)["websocket_connections_total"] == 2
