"""Bodies that handlers read as they come."""

import asyncio
from typing import Any

import pytest

from spikard import Request, Spikard, StreamingResponse
from spikard.config import RouteConfig, ServerConfig
from spikard.errors import RouteError, StreamConsumed
from tests.conftest import Serve

STREAMED = RouteConfig(stream_body=True)


def test_pieces_come_as_they_are_sent(serve: Serve) -> None:
    app = Spikard()
    seen: list[bytes] = []
    arrived = asyncio.Event()

    @app.post("/", config=STREAMED)
    async def read(request: Request) -> Any:
        async for piece in request.stream():
            seen.append(piece)
            arrived.set()
        return b"".join(seen).decode()

    served = serve(app)
    with served.connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 6\r\n\r\none")
        served.call(arrived.wait)
        assert seen == [b"one"]
        connection.sendall(b"two")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.endswith(b'"onetwo"')


def test_whole_bodies_of_streamed_routes(serve: Serve) -> None:
    app = Spikard()

    @app.post("/json", config=STREAMED)
    async def json(request: Request) -> Any:
        return [await request.json(), (await request.body()).decode(), request.text()]

    @app.post("/form", config=STREAMED)
    async def form(request: Request) -> Any:
        form = await request.form()
        return [[name, value if isinstance(value, str) else value["content"]] for name, value in form.multi_items()]

    client = serve(app).client
    assert client.post("/json", json={"a": 1}).json() == [{"a": 1}, '{"a":1}', '{"a":1}']
    assert client.post("/form", data={"a": "1"}).json() == [["a", "1"]]
    sent = client.post("/form", data={"a": "1"}, files={"f": ("x", b"file" * 500_000)}).json()
    assert sent == [["a", "1"], ["f", "file" * 500_000]]


def test_a_body_is_had_once(serve: Serve) -> None:
    app = Spikard()

    async def read(request: Request) -> Any:
        pieces = [piece async for piece in request.stream()]
        for again in (request.body, request.json, request.text, request.form, request.stream):
            with pytest.raises(StreamConsumed):
                again()
        return b"".join(pieces).decode()

    app.post("/streamed", config=STREAMED)(read)
    app.post("/whole")(read)
    client = serve(app).client
    assert client.post("/streamed", content=b"body").json() == "body"
    assert client.post("/whole", content=b"body").json() == "body"
    assert client.post("/whole").json() == ""


def test_parts_come_one_by_one(serve: Serve) -> None:
    app = Spikard()

    @app.post("/", config=STREAMED)
    async def read(request: Request) -> Any:
        seen = []
        async for part in request.stream_parts():
            if part.name == "skipped":
                continue
            if part.is_file:
                seen.append([part.name, part.filename, part.content_type, sum([len(piece) async for piece in part])])
            else:
                seen.append([part.name, await part.text()])
        return seen

    client = serve(app).client
    files = {"skipped": ("s", b"s" * 100_000), "file": ("f.bin", b"f" * 300_000, "image/png")}
    answer = client.post("/", data={"a": "é"}, files=files)
    assert answer.json() == [["a", "é"], ["file", "f.bin", "image/png", 300_000]]
    assert client.post("/", json={}).status_code == 415
    cut = {"content-type": "multipart/form-data; boundary=b"}
    broken = client.post("/", content=b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx", headers=cut)
    assert (broken.status_code, broken.json()["status"]) == (400, 400)


def test_limits_hold_while_reading(serve: Serve) -> None:
    app = Spikard(config=ServerConfig(max_body_size=1000, max_files=1))

    @app.post("/", config=STREAMED)
    async def read(request: Request) -> int:
        return sum([len(piece) async for piece in request.stream()])

    @app.post("/parts", config=STREAMED)
    async def parts(request: Request) -> int:
        return len([part async for part in request.stream_parts()])

    client = serve(app).client

    def pieces() -> Any:
        for _ in range(20):
            yield b"x" * 100

    assert client.post("/", content=b"x" * 1000).json() == 1000
    assert client.post("/", content=b"x" * 1001).status_code == 413
    assert client.post("/", content=pieces()).status_code == 413
    two = [("f", ("a", b"1")), ("f", ("b", b"2"))]
    assert client.post("/parts", files=two).status_code == 413


def test_a_client_that_stops_sending(serve: Serve) -> None:
    app = Spikard(config=ServerConfig(body_read_timeout=0.1))

    @app.post("/", config=STREAMED)
    async def read(request: Request) -> int:
        return sum([len(piece) async for piece in request.stream()])

    answer = serve(app).exchange(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 6\r\n\r\none")
    assert answer.startswith(b"HTTP/1.1 408")


def test_a_body_goes_back_as_it_comes(serve: Serve) -> None:
    app = Spikard()

    @app.post("/", config=STREAMED)
    async def echo(request: Request) -> StreamingResponse:
        return StreamingResponse(request.stream(), media_type="application/octet-stream")

    body = bytes(range(256)) * 4000
    assert serve(app).client.post("/", content=body).content == body


def test_giving_up_a_wait_loses_nothing(serve: Serve) -> None:
    app = Spikard()
    waited = asyncio.Event()

    @app.post("/", config=STREAMED)
    async def read(request: Request) -> Any:
        stream = request.stream()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(stream), 0.01)
        waited.set()
        return b"".join([piece async for piece in stream]).decode()

    served = serve(app)
    with served.connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 3\r\n\r\n")
        served.call(waited.wait)
        connection.sendall(b"abc")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.endswith(b'"abc"')


def test_a_connection_is_used_again_after_a_stream(serve: Serve) -> None:
    app = Spikard()

    @app.post("/", config=STREAMED)
    async def read(request: Request) -> int:
        async with request.cancel_on_disconnect():
            return sum([len(piece) async for piece in request.stream()])

    client = serve(app).client
    assert [client.post("/", content=b"x" * size).json() for size in (0, 10, 100_000)] == [0, 10, 100_000]


def test_a_stream_is_for_those_who_can_read_it() -> None:
    app = Spikard()
    with pytest.raises(RouteError, match="async def"):

        @app.post("/a", config=STREAMED)
        def plain(request: Request) -> None: ...

    with pytest.raises(RouteError, match="stream_body"):

        @app.post("/b", config=STREAMED)
        async def typed(body: dict[str, Any]) -> None: ...
