"""Bodies that are made while they are sent."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from spikard import Spikard, StreamingResponse
from tests.conftest import Serve

GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


async def several() -> AsyncIterator[str | bytes]:
    yield "a"
    yield b""
    await asyncio.sleep(0)
    yield b"\xff"
    yield ""
    yield "ü"


def several_sync() -> Iterator[str | bytes]:
    yield "a"
    yield b""
    yield b"\xff"
    yield "ü"


@pytest.mark.parametrize("chunks", [several, several_sync, lambda: iter(["a", b"\xff", "ü"])])
def test_chunks_are_sent_as_they_come(serve: Serve, chunks) -> None:
    app = Spikard()

    @app.get("/")
    async def handler() -> StreamingResponse:
        return StreamingResponse(chunks(), 201, {"x-a": "b"}, media_type="text/x")

    served = serve(app)
    response = served.client.get("/")
    assert response.content == b"a\xff" + "ü".encode()
    assert (response.status_code, response.headers["x-a"], response.headers["content-type"]) == (201, "b", "text/x")
    assert response.headers["transfer-encoding"] == "chunked"
    raw = served.exchange(GET.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))
    assert raw.endswith(b"\r\n\r\n1\r\na\r\n1\r\n\xff\r\n2\r\n" + "ü".encode() + b"\r\n0\r\n\r\n")


def test_a_chunk_is_there_before_the_next_is_made(serve: Serve) -> None:
    app, gate = Spikard(), asyncio.Event()

    async def chunks() -> AsyncIterator[str]:
        yield "first"
        await gate.wait()
        yield "second"

    @app.get("/")
    async def handler() -> StreamingResponse:
        return StreamingResponse(chunks())

    @app.post("/")
    async def open_gate() -> None:
        gate.set()

    served = serve(app)
    with served.client.stream("GET", "/") as response:
        parts = response.iter_raw()
        assert next(parts) == b"first"
        assert served.client.post("/").status_code == 200
        assert next(parts) == b"second"


def test_generators_are_streamed(serve: Serve) -> None:
    app = Spikard()

    @app.get("/async")
    async def asynchronous() -> AsyncIterator[str]:
        yield "a"
        await asyncio.sleep(0)
        yield "b"

    @app.get("/sync")
    def sync() -> Iterator[bytes]:
        yield b"a"
        yield b"b"

    client = serve(app).client
    assert client.get("/async").content == client.get("/sync").content == b"ab"


def test_an_exception_in_the_middle_cuts_the_connection(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    app = Spikard()

    async def chunks() -> AsyncIterator[str]:
        yield "a"
        raise LookupError("in the middle")

    @app.get("/")
    async def handler() -> StreamingResponse:
        return StreamingResponse(chunks())

    served = serve(app)
    with pytest.raises(httpx.RemoteProtocolError):
        served.client.get("/")
    served.stop()
    assert "in the middle" in caplog.text


def test_a_client_that_leaves_closes_the_generator(serve: Serve) -> None:
    app, closed = Spikard(), threading.Event()

    async def chunks() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 1000
                await asyncio.sleep(0)
        finally:
            closed.set()

    @app.get("/")
    async def handler() -> StreamingResponse:
        return StreamingResponse(chunks())

    with serve(app).connect() as connection:
        connection.sendall(GET)
        # A generator that has not begun has nothing to close, so the first chunk has to be seen.
        with connection.makefile("rb") as answer:
            assert any(b"x" * 1000 in line for line in answer)
    assert closed.wait(10)


def test_a_slow_reader_holds_the_generator_back(serve: Serve) -> None:
    app, made = Spikard(), []
    blocked = threading.Event()

    async def chunks() -> AsyncIterator[bytes]:
        for number in range(100_000):
            made.append(number)
            yield b"x" * 65536

    @app.get("/")
    async def handler() -> StreamingResponse:
        asyncio.get_running_loop().call_later(0.2, blocked.set)
        return StreamingResponse(chunks())

    with serve(app).connect() as connection:
        connection.sendall(GET)
        assert blocked.wait(10)
        # What sockets and one chunk ahead can hold is far from six gigabytes.
        assert 0 < len(made) < 1000


def test_head_does_not_start_the_generator(serve: Serve) -> None:
    app, started = Spikard(), []

    async def chunks() -> AsyncIterator[str]:
        started.append(True)
        yield "a"

    @app.get("/")
    async def handler() -> StreamingResponse:
        return StreamingResponse(chunks())

    assert serve(app).client.head("/").content == b""
    assert started == []
