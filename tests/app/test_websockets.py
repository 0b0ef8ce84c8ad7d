"""WebSockets, as handlers write them."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

import spikard
from spikard import Header, HTTPException, Query, Request, Router, Spikard, ValidationException, WebSocket
from spikard.errors import RouteConflict, RouteError
from tests.app.conftest import Client, Run, closed, exchange


class Order(msgspec.Struct):
    tea: str
    grams: Annotated[int, msgspec.Meta(ge=10)] = 100


def test_each_message_is_a_call(run: Run) -> None:
    app = Spikard()

    @app.websocket("/echo")
    async def echo(message: dict[str, Any]) -> dict[str, Any]:
        await asyncio.sleep(0)
        return message

    async def body(client: Client) -> None:
        async with client.websocket("/echo") as ws:
            messages = [{"n": n, "text": "ü☕"} for n in range(100)]
            for message in messages:
                await ws.send_json(message)
            assert [await ws.receive_json() for _ in messages] == messages

    run(app, body)


def test_kinds_of_messages_and_replies(run: Run) -> None:
    app = Spikard()

    @app.websocket("/struct")
    async def struct(message: Order) -> Order:
        return Order(message.tea.upper(), message.grams + 1)

    @app.websocket("/text")
    async def text(message: str) -> str:
        return message + "!"

    @app.websocket("/bytes")
    async def raw(message: bytes) -> bytes:
        return message[::-1]

    @app.websocket("/any")
    def anything(message: Any) -> Any:
        return [message]

    @app.websocket("/list")
    async def numbers(data: list[int]) -> int:
        return sum(data)

    @app.websocket("/union")
    async def union(message: int | None) -> bool:
        return message is None

    async def body(client: Client) -> None:
        async with client.websocket("/struct") as ws:
            assert await exchange(ws, {"tea": "assam"}) == [{"tea": "ASSAM", "grams": 101}]
        async with client.websocket("/text") as ws:
            assert await exchange(ws, '"tea"') == ["tea!"]
        async with client.websocket("/bytes") as ws:
            assert await exchange(ws, b"\x00\x01", "ab") == [b"\x01\x00", b"ba"]
        async with client.websocket("/any") as ws:
            assert await exchange(ws, {"a": 1}, "7") == [[{"a": 1}], [7]]
        async with client.websocket("/list") as ws:
            assert await exchange(ws, [1, 2]) == [3]
        async with client.websocket("/union") as ws:
            assert await exchange(ws, "null", "3") == [True, False]

    run(app, body)


def test_none_is_no_reply_and_generators_give_several(run: Run) -> None:
    app = Spikard()

    @app.websocket("/")
    async def several(message: int) -> AsyncIterator[int]:
        for number in range(message):
            await asyncio.sleep(0)
            yield number

    @app.websocket("/sync")
    def several_sync(message: int) -> Iterator[int]:
        yield from range(message)

    @app.websocket("/odd")
    async def odd(message: int) -> int | None:
        return message if message % 2 else None

    async def body(client: Client) -> None:
        for path in ("/", "/sync"):
            async with client.websocket(path) as ws:
                for count in (2, 0, 3):
                    await ws.send_json(count)
                assert [await ws.receive_json() for _ in range(5)] == [0, 1, 0, 1, 2]
        async with client.websocket("/odd") as ws:
            for number in range(4):
                await ws.send_json(number)
            assert [await ws.receive_json() for _ in range(2)] == [1, 3]

    run(app, body)


def test_messages_are_handled_in_order(run: Run) -> None:
    app, running = Spikard(), []

    @app.websocket("/")
    async def slow(message: int) -> int:
        running.append(message)
        assert len(running) == 1
        for _ in range(3):
            await asyncio.sleep(0)
        return running.pop()

    async def body(client: Client) -> None:
        async with client.websocket("/") as ws:
            for number in range(200):
                await ws.send_json(number)
            assert [await ws.receive_json() for _ in range(200)] == list(range(200))

    run(app, body)


SCHEMA = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 2}}, "required": ["n"]}


def test_what_does_not_fit_is_told(run: Run) -> None:
    app, calls = Spikard(), []

    @app.websocket("/schema", message_schema=SCHEMA)
    async def schema(message: dict[str, Any]) -> dict[str, Any]:
        calls.append(message)
        return message

    @app.websocket("/struct")
    async def struct(message: Order) -> str:
        calls.append(message)
        return message.tea

    @app.websocket("/own")
    async def own(message: Any) -> None:
        raise ValidationException([{"type": "value_error", "loc": ["body", "x"], "msg": "no"}])

    def told(answer: Any) -> list[tuple[str, list[Any]]]:
        assert (answer["type"], answer["error"]) == ("error", "validation")
        return [(fault["type"], fault["loc"]) for fault in answer["errors"]]

    async def body(client: Client) -> None:
        async with client.websocket("/schema") as ws:
            answers = await exchange(ws, {"n": 1}, {}, "{", "", {"n": 2})
            assert [told(answer) for answer in answers[:-1]] == [
                [("greater_than_equal", ["message", "n"])],
                [("missing", ["message", "n"])],
                [("json_invalid", ["message", 1])],
                [("json_invalid", ["message", 0])],
            ]
            assert answers[-1] == {"n": 2}
        async with client.websocket("/struct") as ws:
            answers = await exchange(ws, {"tea": 1, "grams": 9}, {"tea": "Assam"})
            assert told(answers[0]) == [
                ("greater_than_equal", ["message", "grams"]),
                ("string_type", ["message", "tea"]),
            ]
            assert answers[1] == "Assam"
        async with client.websocket("/own") as ws:
            assert told((await exchange(ws, "1"))[0]) == [("value_error", ["message", "x"])]
        assert calls == [{"n": 2}, Order("Assam")]

    run(app, body)


def test_what_does_not_fit_closes_where_the_route_says_so(run: Run) -> None:
    app = Spikard()

    @app.websocket("/", message_schema=SCHEMA, on_invalid="close")
    async def strict(message: dict[str, Any]) -> None: ...

    async def body(client: Client) -> None:
        async with client.websocket("/") as ws:
            await ws.send("{")
            assert await closed(ws) == (1007, "the message is not JSON")
        async with client.websocket("/") as ws:
            await ws.send("{}")
            assert await closed(ws) == (1008, "the message does not fit its schema")

    run(app, body)


def test_replies_are_held_to_their_schema(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    app = Spikard()

    @app.websocket("/log", response_schema={"type": "integer"})
    @app.websocket("/strict", response_schema={"type": "integer"}, validate="strict")
    async def echo(message: Any) -> Any:
        return message

    async def body(client: Client) -> None:
        async with client.websocket("/log") as ws:
            await ws.send_json("text")
            await ws.send_json(3)
            assert await ws.receive_json() == 3
        assert "does not fit its schema" in caplog.text
        async with client.websocket("/strict") as ws:
            await ws.send_json("text")
            assert await closed(ws) == (1011, "internal error")

    run(app, body)


def test_parameters_beside_the_message(run: Run) -> None:
    app = Spikard()

    @app.websocket("/rooms/{room}")
    async def handler(
        message: dict[str, Any],
        ws: WebSocket,
        room: str,
        request: Request,
        token: Annotated[str | None, Header(alias="x-token")] = None,
        limit: int = Query(3, ge=1),
    ) -> list[Any]:
        seen = getattr(ws.state, "seen", 0) + 1 if "seen" in ws.state else 1
        ws.state.seen = seen
        return [message, room, token, limit, request.path, seen]

    async def body(client: Client) -> None:
        async with client.websocket("/rooms/tea", headers={"x-token": "t"}, params={"limit": 5}) as ws:
            assert await exchange(ws, {}, {}) == [
                [{}, "tea", "t", 5, "/rooms/tea", 1],
                [{}, "tea", "t", 5, "/rooms/tea", 2],
            ]
        with pytest.raises(InvalidStatus) as refused:
            async with client.websocket("/rooms/tea?limit=0"):
                pass
        assert refused.value.response.status_code == 422
        assert b"greater_than_equal" in bytes(refused.value.response.body or b"")

    run(app, body)


def test_a_message_handler_may_speak_by_itself(run: Run) -> None:
    app = Spikard()

    @app.websocket("/")
    async def handler(message: int, ws: WebSocket) -> str:
        for number in range(message):
            await ws.send_json(number)
        if message == 7:
            await ws.close(3000, "enough")
        return "done"

    async def body(client: Client) -> None:
        async with client.websocket("/") as ws:
            await ws.send_json(2)
            assert [await ws.receive_json() for _ in range(3)] == [0, 1, "done"]
            await ws.send_json(7)
            assert [await ws.receive_json() for _ in range(7)] == list(range(7))
            assert await closed(ws) == (3000, "enough")

    run(app, body)


def test_a_fault_closes_and_is_logged(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    app = Spikard()

    @app.websocket("/message")
    async def message_handler(message: Any) -> None:
        raise LookupError("secret")

    @app.websocket("/connection")
    async def connection(ws: WebSocket) -> None:
        await ws.accept()
        await ws.send_text("before")
        raise LookupError("secret")

    @app.websocket("/generator")
    async def generator(message: Any) -> AsyncIterator[int]:
        yield 1
        raise LookupError("secret")

    @app.websocket("/late")
    async def late(ws: WebSocket) -> None:
        await ws.accept()
        raise HTTPException(403, "too late")

    async def body(client: Client) -> None:
        for path, expected in (("/message", []), ("/connection", ["before"]), ("/generator", ["1"]), ("/late", [])):
            caplog.clear()
            async with client.websocket(path) as ws:
                if path in ("/message", "/generator"):
                    await ws.send_json(1)
                assert await closed(ws) == (1011, "internal error")
                assert [await ws.recv() for _ in expected] == expected
                with pytest.raises(ConnectionClosed):
                    await ws.recv()
            assert ("secret" if path != "/late" else "403") in caplog.text, path

    run(app, body)


# Object style.


def test_objects_with_methods(run: Run) -> None:
    app, seen = Spikard(), []
    gone = asyncio.Event()

    class Chat:
        def __init__(self, room: str, greeting: str = "hello") -> None:
            self.room, self.greeting = room, greeting

        async def on_connect(self, ws: WebSocket) -> None:
            await ws.accept()
            await ws.send_text(f"{self.greeting} in {self.room}")

        async def handle_message(self, message: Order) -> dict[str, Any]:
            return {"ordered": message.tea}

        def on_disconnect(self, code: int) -> None:
            seen.append(code)
            gone.set()

    class Plain:
        def handle_message(self, message: Any) -> Iterator[Any]:
            return iter([message, message])

    def make() -> Plain:
        return Plain()

    app.websocket("/chat/{room}")(Chat)
    app.websocket("/plain")(Plain())
    app.websocket("/made")(make)

    async def body(client: Client) -> None:
        async with client.websocket("/chat/tea?greeting=hi") as ws:
            assert await ws.recv() == "hi in tea"
            answers = await exchange(ws, {"tea": 1}, {"tea": "Assam"})
            assert answers[0]["errors"][0]["loc"] == ["message", "tea"]
            assert answers[1] == {"ordered": "Assam"}
            await ws.close(4002)
        await gone.wait()
        for path in ("/plain", "/made"):
            async with client.websocket(path) as ws:
                await ws.send_json([1])
                assert [await ws.receive_json(), await ws.receive_json()] == [[1], [1]]

    run(app, body)
    assert seen == [4002]
    assert app.get_websocket_handlers() == {"/chat/{room}": Chat, "/plain": app._sockets[1].handler, "/made": make}


# Registration.


def test_registration_on_routers_and_the_current_application() -> None:
    router = Router("/v1")

    @router.websocket("/router", name="one")
    async def one(message: Order) -> Order:
        return message

    app = Spikard()
    app.include_router(router, prefix="/api")

    @spikard.websocket("/module", message_schema={"type": "integer"})
    async def two(message: int) -> None: ...

    assert app.get_websocket_handlers() == {"/api/v1/router": one, "/module": two}
    assert app.get_routes() == []
    assert [route.message_schema for route in app._sockets][1] == {"type": "integer"}
    with pytest.raises(RouteConflict):
        app.get("/module")(two)


@dataclass
class Thing:
    a: int


async def nothing() -> None: ...


def sync_connection(ws: WebSocket) -> None: ...


async def fine(message: Any) -> None: ...


async def thing(message: Any, other: complex) -> None: ...


@pytest.mark.parametrize(
    ("handler", "options", "expected"),
    [
        (nothing, {}, "neither a message nor a WebSocket"),
        (sync_connection, {}, "async def"),
        (thing, {}, "complex"),
        (fine, {"queue": 0}, "queue must be"),
        (fine, {"max_message_size": 0}, "max_message_size must be"),
        (fine, {"ping_interval": 0}, "ping_interval must be"),
        (fine, {"overflow": "explode"}, "overflow must be"),
        (fine, {"on_invalid": "ignore"}, "on_invalid must be"),
        (fine, {"subprotocols": "v1"}, "subprotocols must be"),
        (fine, {"message_schema": {"type": "nothing"}}, "schema"),
        (fine, {"response_schema": {"type": "nothing"}}, "response_schema"),
    ],
)
def test_what_cannot_be_registered(handler: Any, options: dict[str, Any], expected: str) -> None:
    with pytest.raises(RouteError, match=expected):
        Spikard().websocket("/", **options)(handler)


def test_misspelled_options() -> None:
    with pytest.raises(TypeError, match="max_mesage_size"):
        Spikard().websocket("/", max_mesage_size=1)  # type: ignore[call-arg]
