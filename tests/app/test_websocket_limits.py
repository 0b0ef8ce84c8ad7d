"""WebSockets that are silent, slow or too eager."""

import asyncio
from typing import Any

import pytest

from spikard import Spikard, WebSocket
from spikard.config import ServerConfig
from spikard.websocket import WebSocketDisconnect
from tests.app.raw_websocket import BINARY, CLOSE, FIN, PING, PONG, TEXT, RawWebSocket, close, frame
from tests.conftest import Serve

MEGABYTE = b"x" * 2**20


def test_a_silent_client_is_asked_and_then_given_up(serve: Serve) -> None:
    app, seen = Spikard(), []
    gone = asyncio.Event()

    @app.websocket("/", ping_interval=0.05, ping_timeout=0.3)
    async def handler(ws: WebSocket) -> None:
        await ws.accept()
        try:
            await ws.receive()
        except WebSocketDisconnect as disconnect:
            seen.append(disconnect.code)
            gone.set()

    served = serve(app)
    with RawWebSocket(served) as raw:
        # Each answer buys an interval.
        for _ in range(3):
            assert raw.next().first == FIN | PING
            raw.send(frame(FIN | PONG))
        assert raw.rest() == [(FIN | PING, b"")]
    served.call(gone.wait)
    assert seen == [1006]


def test_pings_without_patience_go_on(serve: Serve) -> None:
    app = Spikard()

    @app.websocket("/", ping_interval=0.02, ping_timeout=None)
    async def handler(message: Any) -> Any:
        return message

    with RawWebSocket(serve(app)) as raw:
        assert [raw.next().first for _ in range(5)] == [FIN | PING] * 5
        raw.send(frame(FIN | TEXT, b"1"))
        while (received := raw.next()).first == FIN | PING:
            pass
        assert received.payload == b"1"


def test_nothing_said_for_too_long(serve: Serve) -> None:
    app = Spikard()

    @app.websocket("/", idle_timeout=0.2, ping_interval=None)
    async def handler(message: Any) -> Any:
        return message

    with RawWebSocket(serve(app)) as raw:
        for _ in range(3):
            raw.send(frame(FIN | TEXT, b"1"), frame(FIN | PING))
            assert {raw.next().first, raw.next().first} == {FIN | TEXT, FIN | PONG}
        received = raw.next()
        assert (received.first, received.payload[:2]) == (FIN | CLOSE, b"\x03\xe9")


@pytest.mark.parametrize("path", ["/message", "/connection"])
def test_a_slow_handler_slows_its_client_down(serve: Serve, path: str) -> None:
    app, gate = Spikard(), asyncio.Event()
    count = 0

    @app.websocket("/message", queue=2)
    async def messages(message: bytes) -> None:
        nonlocal count
        count += 1
        await gate.wait()

    @app.websocket("/connection", queue=2)
    async def connection(ws: WebSocket) -> None:
        nonlocal count
        await ws.accept()
        await gate.wait()
        async for _ in ws:
            count += 1

    served, data = serve(app), frame(FIN | BINARY, MEGABYTE)
    with RawWebSocket(served, path) as raw:
        # More than any buffer on the way holds.
        sent = raw.stuff(data, 40)
        assert count <= 1
        served.loop.call_soon_threadsafe(gate.set)
        raw.send(data[sent % len(data) :], frame(FIN | PING))
        assert raw.next().first == FIN | PONG
        raw.send(close(1000))
        assert raw.close_code() == 1000
    assert count >= sent // len(data) - 2


def test_a_slow_client_slows_its_handler_down(serve: Serve) -> None:
    app, sent = Spikard(), 0
    full = asyncio.Event()

    @app.websocket("/", queue=3)
    async def handler(ws: WebSocket) -> None:
        nonlocal sent
        await ws.accept()
        for _ in range(30):
            sending = asyncio.create_task(ws.send_bytes(MEGABYTE))
            done, _ = await asyncio.wait({sending}, timeout=0.3)
            if not done:
                full.set()
            await sending
            sent += 1
        await ws.send_text("end")

    served = serve(app)
    with RawWebSocket(served) as raw:
        served.call(full.wait)
        assert sent < 30
        lengths = [len(raw.next().payload) for _ in range(30)]
        assert (raw.next().payload, raw.close_code()) == (b"end", 1000)
        assert lengths == [len(MEGABYTE)] * 30
    assert sent == 30


def test_a_client_that_does_not_keep_up_is_closed_where_the_route_says_so(serve: Serve) -> None:
    app, seen = Spikard(), []

    @app.websocket("/", queue=3, overflow="close")
    async def handler(ws: WebSocket) -> None:
        await ws.accept()
        try:
            while True:
                await ws.send_bytes(MEGABYTE)
                await asyncio.sleep(0)
        except WebSocketDisconnect as gone:
            seen.append((gone.code, gone.reason))
            with pytest.raises(WebSocketDisconnect):
                await ws.send_text("more")

    served = serve(app)
    with RawWebSocket(served) as raw:
        assert raw.close_code() == 1013
    assert seen == [(1013, "messages are not read fast enough")]


def test_a_handler_that_ignores_the_end_is_cancelled_when_the_server_stops(serve: Serve) -> None:
    app, seen = Spikard(config=ServerConfig(shutdown_timeout=1)), []

    @app.websocket("/")
    async def handler(ws: WebSocket) -> None:
        await ws.accept()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    served = serve(app)
    with RawWebSocket(served) as raw:
        served.loop.call_soon_threadsafe(served._stop.request)
        assert raw.next().payload[:2] == b"\x03\xf4"
        served.stop()
    assert seen == ["cancelled"]


def test_a_flood_of_pings_is_held_back(serve: Serve) -> None:
    app = Spikard()

    @app.websocket("/")
    async def handler(message: Any) -> Any:
        return message

    served = serve(app)
    pings = frame(FIN | PING, b"x" * 125) * 1000
    with RawWebSocket(served) as raw:
        # Nobody reads the pongs.
        raw.stuff(pings, 1000)
        # Others are served meanwhile.
        with RawWebSocket(served) as other:
            other.send(frame(FIN | TEXT, b"1"))
            assert other.next().payload == b"1"


def test_a_connection_that_is_cut_in_the_middle(serve: Serve) -> None:
    app, seen = Spikard(), []
    gone = asyncio.Event()

    @app.websocket("/")
    async def handler(ws: WebSocket) -> None:
        await ws.accept()
        try:
            await ws.receive()
        except WebSocketDisconnect as disconnect:
            seen.append(disconnect.code)
        finally:
            gone.set()

    served = serve(app)
    for data in (b"", b"\x81", frame(FIN | TEXT, b"x" * 300)[:100], frame(TEXT, b"a fragment")):
        with RawWebSocket(served) as raw:
            raw.send(data)
        served.call(gone.wait)
        served.loop.call_soon_threadsafe(gone.clear)
    assert seen == [1006] * 4


def test_many_sockets_at_once(serve: Serve) -> None:
    app = Spikard()

    @app.websocket("/")
    async def handler(message: int) -> int:
        return message + 1

    served = serve(app)
    sockets = [RawWebSocket(served) for _ in range(100)]
    for number, raw in enumerate(sockets):
        raw.send(frame(FIN | TEXT, b"%d" % number))
    assert [raw.next().payload for raw in sockets] == [b"%d" % (number + 1) for number in range(100)]
    for raw in sockets:
        raw.send(close(1000))
        assert raw.close_code() == 1000
        raw.socket.close()
