"""WebSockets whose handler is called once, for the whole connection."""

import asyncio
import gc
import logging
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from spikard import HTTPException, Request, Response, Spikard, WebSocket
from spikard.testing.websocket import WebSocketConnection
from spikard.websocket import WebSocketDisconnect
from tests.app.conftest import Client, Run, closed, exchange
from tests.conftest import Serve
from tests.served import Served


def test_a_whole_connection(run: Run) -> None:
    app, seen = Spikard(), []

    @app.websocket("/{room}", subprotocols=["v2", "v1"])
    async def handler(ws: WebSocket, room: str, token: str = "") -> None:
        seen.append((room, token, ws.headers["x-a"], dict(ws.cookies), ws.path_params, ws.query_params["token"]))
        assert not ws.is_open
        await ws.accept(headers={"x-b": "c"})
        assert ws.is_open
        await ws.send_text(f"text {ws.subprotocol}")
        await ws.send_bytes(b"\x00")
        await ws.send_json({"id": ws.request_id is not None})
        seen.append(await ws.receive_text())
        seen.append(await ws.receive_bytes())
        seen.append(await ws.receive_bytes())
        seen.append(await ws.receive_json())
        await ws.close(4000, "bye")

    async def body(client: Client) -> None:
        options = {"headers": {"x-a": "1"}, "cookies": {"k": "v"}, "params": {"token": "t"}}
        async with client.websocket("/tea", subprotocols=["v0", "v1"], **options) as ws:
            assert ws.response is not None
            assert ws.response.headers["x-b"] == "c"
            assert ws.response.headers["x-request-id"]
            assert ws.subprotocol == "v1"
            assert [await ws.recv(), await ws.recv(), await ws.receive_json()] == ["text v1", b"\x00", {"id": True}]
            for message in ("a", "b", b"c", "[1]"):
                await ws.send(message)
            assert await closed(ws) == (4000, "bye")
        assert seen == [("tea", "t", "1", {"k": "v"}, {"room": "tea"}, "t"), "a", b"b", b"c", [1]]

    run(app, body)


def test_leaving_the_handler_closes(run: Run) -> None:
    app = Spikard()

    @app.websocket("/")
    async def handler(ws: WebSocket) -> None:
        await ws.accept()
        await ws.send_text("last words")

    async def body(client: Client) -> None:
        async with client.websocket("/") as ws:
            assert await ws.recv() == "last words"
            assert await closed(ws) == (1000, "")

    run(app, body)


def test_a_client_that_leaves(run: Run) -> None:
    app, seen = Spikard(), []
    done = asyncio.Event()

    @app.websocket("/receive")
    async def receive(ws: WebSocket) -> None:
        await ws.accept()
        try:
            seen.append(await ws.receive_text())
            await ws.receive_text()
        except WebSocketDisconnect as gone:
            seen.append((gone.code, gone.reason, ws.close_code, ws.is_open))
            with pytest.raises(WebSocketDisconnect):
                await ws.send_text("anybody there?")
        done.set()

    @app.websocket("/iterate")
    async def iterate(ws: WebSocket) -> None:
        await ws.accept()
        seen.append([text async for text in ws.iter_text()])
        done.set()

    @app.websocket("/uncaught")
    async def uncaught(ws: WebSocket) -> None:
        await ws.accept()
        try:
            while True:
                await ws.receive()
        finally:
            done.set()

    async def body(client: Client) -> None:
        async with client.websocket("/receive") as ws:
            await ws.send("hello")
            await ws.close(4001, "so long")
        await done.wait()
        done.clear()
        async with client.websocket("/receive") as ws:
            await ws.send("hello")
            await ws.drop()
        await done.wait()
        done.clear()
        async with client.websocket("/iterate") as ws:
            await ws.send("a")
            await ws.send("b")
        await done.wait()
        done.clear()
        async with client.websocket("/uncaught"):
            pass
        await done.wait()

    with pytest.MonkeyPatch.context():
        run(app, body)
    assert seen == ["hello", (4001, "so long", 4001, False), "hello", (1006, "", 1006, False), ["a", "b"]]


def test_an_uncaught_disconnect_is_no_fault(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    app, done = Spikard(), asyncio.Event()

    @app.websocket("/")
    async def handler(ws: WebSocket) -> None:
        await ws.accept()
        try:
            await ws.receive()
        finally:
            done.set()

    async def body(client: Client) -> None:
        async with client.websocket("/"):
            pass
        await done.wait()

    with caplog.at_level(logging.WARNING):
        run(app, body)
    assert caplog.text == ""


def test_refusals_before_accept(run: Run) -> None:
    app = Spikard()

    @app.websocket("/http")
    async def http(ws: WebSocket) -> None:
        raise HTTPException(401, "who are you", headers={"www-authenticate": "Bearer"})

    @app.websocket("/close")
    async def close(ws: WebSocket) -> None:
        await ws.close()

    @app.websocket("/silent")
    async def silent(ws: WebSocket) -> None:
        await asyncio.sleep(0)

    @app.websocket("/broken")
    async def broken(ws: WebSocket) -> None:
        raise LookupError("secret")

    @app.websocket("/early")
    async def early(ws: WebSocket) -> None:
        with pytest.raises(RuntimeError, match="accept"):
            await ws.send_text("x")
        with pytest.raises(RuntimeError, match="accept"):
            await ws.receive()
        with pytest.raises(ValueError, match="subprotocol"):
            await ws.accept("unheard-of")
        await ws.accept()
        with pytest.raises(RuntimeError, match="before"):
            await ws.accept()
        with pytest.raises(ValueError, match="1005"):
            await ws.close(1005)

    async def body(client: Client) -> None:
        for path, status in (("/http", 401), ("/close", 403), ("/silent", 403), ("/broken", 500), ("/missing", 404)):
            with pytest.raises(InvalidStatus) as refused:
                async with client.websocket(path):
                    pass
            response = refused.value.response
            assert response.status_code == status, path
            assert response.headers["content-type"] == "application/problem+json"
            assert response.headers["x-request-id"]
            assert b"secret" not in bytes(response.body or b"")
            if path == "/http":
                assert response.headers["www-authenticate"] == "Bearer"
        async with client.websocket("/early") as ws:
            assert await closed(ws) == (1000, "")

    run(app, body)


def test_text_where_text_is_needed(run: Run) -> None:
    app = Spikard()

    @app.websocket("/")
    async def handler(ws: WebSocket) -> None:
        await ws.accept()
        await ws.receive_text()

    async def body(client: Client) -> None:
        async with client.websocket("/") as ws:
            await ws.send(b"bytes")
            assert await closed(ws) == (1003, "text was expected")

    run(app, body)


def test_both_directions_at_once(run: Run) -> None:
    app = Spikard()

    @app.websocket("/")
    async def handler(ws: WebSocket) -> None:
        await ws.accept()

        async def count() -> None:
            for number in range(50):
                await ws.send_json(number)
                await asyncio.sleep(0)

        counting = asyncio.create_task(count())
        async for message in ws:
            await ws.send(message)
        await counting

    async def body(client: Client) -> None:
        async with client.websocket("/") as ws:
            for _ in range(50):
                await ws.send("echo")
            received = [await ws.recv() for _ in range(100)]
            assert received.count("echo") == 50
            assert [text for text in received if text != "echo"] == [str(number) for number in range(50)]

    run(app, body)


# Channels.


def test_channels(run: Run) -> None:
    app = Spikard()

    @app.websocket("/{room}")
    async def handler(ws: WebSocket, room: str) -> None:
        await ws.accept()
        channel = app.channels[room]
        async with channel.joined(ws):
            await ws.send_json(len(channel))
            async for message in ws.iter_json():
                reached = await channel.broadcast(message, exclude=ws if message == "others" else None)
                if message == "others":
                    await ws.send_json(reached)

    async def body(client: Client) -> None:
        async with (
            client.websocket("/tea") as first,
            client.websocket("/tea") as second,
            client.websocket("/x") as apart,
        ):
            assert sorted([await first.receive_json(), await second.receive_json()]) == [1, 2]
            assert await apart.receive_json() == 1
            assert sorted(app.channels) == ["tea", "x"]
            await first.send_json({"a": 1})
            assert [await first.receive_json(), await second.receive_json()] == [{"a": 1}] * 2
            await first.send_json("others")
            assert await first.receive_json() == 1
            assert await second.recv() == "others"
            assert await app.channels["nobody"].broadcast("x") == 0
        # Each left when its block ended.

    run(app, body)
    assert len(app.channels) == 0


# Shutdown.


@asynccontextmanager
async def connected(served: Served, path: str) -> AsyncIterator[WebSocketConnection]:
    """A connection to a server in another thread."""
    import httpcore

    from spikard.testing.websocket import open_websocket

    network = httpcore.AnyIOBackend()
    url = f"ws://127.0.0.1:{served.port}{path}"
    async with open_websocket(network, url, headers={}, subprotocols=None, compression=True, timeout=15) as connection:
        yield connection


def test_a_stop_tells_everybody(serve: Serve) -> None:
    app, seen = Spikard(), []

    @app.websocket("/connection")
    async def connection(ws: WebSocket) -> None:
        await ws.accept()
        try:
            await ws.receive()
        except WebSocketDisconnect as gone:
            seen.append(gone.code)

    @app.websocket("/message")
    async def message_handler(message: Any) -> Any:
        return message

    served = serve(app)

    async def main() -> None:
        async with connected(served, "/connection") as one, connected(served, "/message") as two:
            assert await exchange(two, {"a": 1}) == [{"a": 1}]
            served.loop.call_soon_threadsafe(served._stop.request)
            assert await closed(one) == (1012, "the server is restarting")
            assert await closed(two) == (1012, "the server is restarting")

    asyncio.run(main())
    served.stop()
    assert seen == [1012]


def test_hooks_see_the_handshake(run: Run) -> None:
    app, seen = Spikard(), []

    @app.on_request
    async def enter(request: Request) -> Response | None:
        seen.append(request.path)
        request.state.who = "ada"
        return Response({"no": "entry"}, 451) if "x-stop" in request.headers else None

    @app.on_response
    async def leave(response: Response) -> None:
        seen.append(response.status_code)

    @app.websocket("/connection")
    async def connection(ws: WebSocket) -> None:
        await ws.accept()
        await ws.send_text(ws.state.who)

    @app.websocket("/message")
    async def message_handler(message: str, ws: WebSocket) -> str:
        return message

    async def body(client: Client) -> None:
        async with client.websocket("/connection") as ws:
            assert await ws.recv() == "ada"
        async with client.websocket("/message") as ws:
            assert await exchange(ws, '"hello"', '"again"') == ["hello", "again"]
        for path in ("/connection", "/message"):
            with pytest.raises(InvalidStatus) as refused:
                async with client.websocket(path, headers={"x-stop": "1"}):
                    pass
            assert refused.value.response.status_code == 451

    run(app, body)
    assert [entry for entry in seen if entry != 101] == [
        *("/connection", "/message"),
        *("/connection", 451, "/message", 451),
    ]


def test_sockets_leave_nothing_behind(run: Run) -> None:
    app, seen = Spikard(), []

    @app.websocket("/refused")
    async def refused(ws: WebSocket) -> None:
        seen.append(weakref.ref(ws))
        await ws.close()

    @app.websocket("/accepted")
    async def accepted(ws: WebSocket) -> None:
        seen.append(weakref.ref(ws))
        await ws.accept()
        await ws.receive()

    @app.websocket("/message")
    async def message_handler(message: int, ws: WebSocket) -> int:
        seen.append(weakref.ref(ws))
        return message

    async def body(client: Client) -> None:
        for _ in range(3):
            with pytest.raises(InvalidStatus):
                async with client.websocket("/refused"):
                    pass
            async with client.websocket("/accepted") as ws:
                await ws.send("x")
            async with client.websocket("/message") as ws:
                assert await exchange(ws, 1, 2) == [1, 2]

    run(app, body)
    gc.collect()
    assert len(seen) == 12
    assert [reference() for reference in seen] == [None] * 12
