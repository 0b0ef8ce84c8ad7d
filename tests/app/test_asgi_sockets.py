"""WebSockets under another ASGI server, and those of ASGI applications under ours."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket as StarletteSocket
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from spikard import HTTPException, Spikard, WebSocket
from spikard.app.asgi_server import AsgiServer
from spikard.errors import WebSocketDisconnect
from spikard.testing import MemoryClient


class Order(msgspec.Struct):
    tea: str
    grams: int = 100


def shop(log: list[Any]) -> Spikard:
    app = Spikard()

    @app.websocket("/orders/{shop}")
    async def order(message: Order, shop: str) -> dict[str, Any]:
        return {"shop": shop, "grams": message.grams}

    @app.websocket("/echo", subprotocols=("b", "a"))
    async def echo(ws: WebSocket, token: str = "") -> None:
        if token == "wrong":
            raise HTTPException(401, "The token is wrong", headers={"x-why": "token"})
        if token == "closed":
            await ws.close()
            return
        await ws.accept(headers={"x-made": "yes"})
        await ws.send_json([ws.client is not None, ws.url.partition("://")[0], ws.cookies])
        try:
            async for message in ws:
                if message == "close":
                    await ws.close(4001, "as you wish")
                elif message == "fail":
                    raise KeyError("secret")
                else:
                    await ws.send(message)
            await ws.receive()
        except WebSocketDisconnect as gone:
            log.append((gone.code, gone.reason))

    return app


@asynccontextmanager
async def under_uvicorn(app: Any, ws: str = "websockets-sansio") -> AsyncIterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on", ws=ws))  # type: ignore[arg-type]
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"ws://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


async def test_messages_under_another_server() -> None:
    log: list[Any] = []
    async with under_uvicorn(shop(log).asgi) as url:
        offered = [Subprotocol("a"), Subprotocol("x")]
        async with connect(f"{url}/echo", subprotocols=offered, proxy=None, additional_headers={"cookie": "k=v"}) as ws:
            assert ws.subprotocol == "a"
            assert ws.response is not None
            assert ws.response.headers["x-made"] == "yes"
            assert "x-request-id" in ws.response.headers
            assert msgspec.json.decode(await ws.recv()) == [True, "ws", {"k": "v"}]
            for message in ("", "\N{HOT BEVERAGE}", "x" * 200_000, b"", bytes(range(256)), b"y" * 70_000):
                await ws.send(message)
                assert await ws.recv() == message
            await ws.close(4000, "enough")
        async with connect(f"{url}/orders/ely", proxy=None) as ws:
            await ws.send('{"tea":"Assam"}')
            assert msgspec.json.decode(await ws.recv()) == {"shop": "ely", "grams": 100}
            await ws.send('{"tea":7}')
            refused = msgspec.json.decode(await ws.recv())
            assert refused["errors"][0]["loc"] == ["message", "tea"]
    assert log == [(4000, "enough")]


async def test_closes_under_another_server(caplog: pytest.LogCaptureFixture) -> None:
    async with under_uvicorn(shop([]).asgi) as url:
        for said, code, reason in (("close", 4001, "as you wish"), ("fail", 1011, "internal error")):
            async with connect(f"{url}/echo", proxy=None) as ws:
                await ws.recv()
                await ws.send(said)
                with pytest.raises(ConnectionClosed):
                    await ws.recv()
                assert (ws.close_code, ws.close_reason) == (code, reason)
        async with connect(f"{url}/echo", proxy=None) as ws:
            await ws.recv()
            await ws.send("x" * 1_100_000)
            with pytest.raises(ConnectionClosed):
                await ws.recv()
            assert ws.close_code == 1009
    assert "secret" in caplog.text


@pytest.mark.parametrize(
    ("path", "status"), [("/echo?token=wrong", 401), ("/echo?token=closed", 403), ("/nowhere", 404)]
)
async def test_refusals_under_another_server(path: str, status: int) -> None:
    async with under_uvicorn(shop([]).asgi) as url:
        with pytest.raises(InvalidStatus) as refused:
            async with connect(url + path, proxy=None):
                pass
    response = refused.value.response
    assert response.status_code == status
    assert response.body is not None
    assert msgspec.json.decode(response.body)["status"] == status
    assert response.headers.get("x-why") == ("token" if status == 401 else None)


async def test_a_line_break_is_no_header() -> None:
    scope = {
        "type": "websocket",
        "path": "/echo",
        "query_string": b"",
        "headers": [(b"x-a", b"1\r\nx-b: 2")],
        "subprotocols": [],
    }

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        raise AssertionError(message)

    server = AsgiServer(shop([]))
    await server.start()
    try:
        with pytest.raises(ValueError, match="line break"):
            await server(scope, receive, send)
    finally:
        await server.stop()


def starlette(log: list[Any]) -> Starlette:
    async def echo(ws: StarletteSocket) -> None:
        if ws.query_params.get("token") == "wrong":
            await ws.send_denial_response(PlainTextResponse("no", 401, {"x-why": "token"}))
            return
        if ws.query_params.get("token") == "closed":
            await ws.close()
            return
        await ws.accept("a" if "a" in ws.scope["subprotocols"] else None, headers=[(b"x-made", b"yes")])
        await ws.send_json([ws.url.path, ws.scope["root_path"], ws.path_params["name"], ws.client is not None])
        while True:
            message = await ws.receive()
            if message["type"] == "websocket.disconnect":
                log.append((message["code"], message["reason"]))
                return
            if message.get("text") == "close":
                await ws.close(4001, "as you wish")
                return
            if message.get("text") == "fail":
                raise KeyError("secret")
            await ws.send({**message, "type": "websocket.send"})

    return Starlette(routes=[WebSocketRoute("/echo/{name}", echo)])


async def test_sockets_of_a_mounted_application(caplog: pytest.LogCaptureFixture) -> None:
    log: list[Any] = []
    app = Spikard()
    app.mount("/below", starlette(log))

    @app.websocket("/below/own")
    async def own(message: int) -> int:
        return message + 1

    async with MemoryClient(app) as client:
        async with client.websocket("/below/echo/tea", subprotocols=["x", "a"]) as ws:
            assert ws.subprotocol == "a"
            assert ws.response is not None
            assert ws.response.headers["x-made"] == "yes"
            assert await ws.receive_json() == ["/below/echo/tea", "/below", "tea", False]
            for message in ("", "\N{HOT BEVERAGE}", b"", bytes(range(256)), "x" * 2_000_000):
                await ws.send(message)
                assert await ws.recv() == message
            await ws.close(4000, "enough")
        for said, code in (("close", 4001), ("fail", 1011)):
            async with client.websocket("/below/echo/tea") as ws:
                await ws.receive_json()
                await ws.send(said)
                await ws.wait_closed()
                assert ws.close_code == code
        # A route of the application's own comes first, and requests go where they went.
        async with client.websocket("/below/own") as ws:
            await ws.send_json(1)
            assert await ws.receive_json() == 2
        assert (await client.get("/below/echo/tea")).status_code == 404
        for token, status, body in (("wrong", 401, b"no"), ("closed", 403, None)):
            with pytest.raises(InvalidStatus) as refused:
                async with client.websocket(f"/below/echo/tea?token={token}"):
                    pass
            response = refused.value.response
            assert response.status_code == status
            assert body is None or response.body == body
    assert log == [(4000, "enough")]
    assert "secret" in caplog.text


async def test_sockets_of_a_mounted_spikard() -> None:
    log: list[Any] = []
    app = Spikard()
    app.mount("/shop", shop(log))
    async with MemoryClient(app) as client:
        async with client.websocket("/shop/orders/ely") as ws:
            await ws.send_json({"tea": "Assam", "grams": 3})
            assert await ws.receive_json() == {"shop": "ely", "grams": 3}
        with pytest.raises(InvalidStatus) as refused:
            async with client.websocket("/shop/echo?token=wrong"):
                pass
        assert refused.value.response.status_code == 401
