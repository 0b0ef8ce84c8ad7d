"""Values of the container in WebSockets and server-sent events, and in functions made by `injected`."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from spikard import Provide, Request, Spikard, WebSocket, WebSocketDisconnect
from spikard.di import AsyncDependency, Container, Inject, ScopeError, injected
from spikard.testing import TestClient
from tests.di.events import Events, cleaned, cleaned_async


class Brought:
    def __init__(self, request: Request) -> None:
        self.request = request


class TestSockets:
    async def test_each_message_has_a_scope(self) -> None:
        app, events = Spikard(), Events()
        app.provide("value", Provide(cleaned_async(events)))

        @app.websocket("/")
        async def echo(message: str, value: str) -> str:
            return f"{message} {value}"

        async with TestClient(app) as client, client.websocket("/") as socket:
            for text in ("a", "b"):
                await socket.send_json(text)
                assert await socket.receive_json() == f"{text} value"
            await asyncio.to_thread(events.wait_for, "close value")
            assert events.seen.count("open value") == 2

    async def test_a_connection_has_one_scope(self) -> None:
        app, events = Spikard(), Events()
        app.provide("value", Provide(cleaned(events)))
        app.provide("who", Provide(lambda request: request.query_params["who"], depends_on=[Request]))

        @app.websocket("/")
        async def talk(ws: WebSocket, value: str, who: str) -> None:
            await ws.accept()
            await ws.send_text(f"{who} {value}")
            try:
                await ws.receive_text()
            except WebSocketDisconnect:
                events("gone")
                raise

        async with TestClient(app) as client:
            async with client.websocket("/?who=Ada") as socket:
                assert await socket.recv() == "Ada value"
                assert events.seen == ["open value"]
            await asyncio.to_thread(events.wait_for, "close value")
            assert events.seen == ["open value", "gone", "value saw WebSocketDisconnect", "close value"]

    async def test_beside_other_routes_and_overridden(self) -> None:
        app = Spikard().provide("value", "real")

        @app.get("/before")
        async def before(value: str) -> str:
            return value

        @app.websocket("/socket")
        async def socket_handler(message: str, value: str) -> str:
            return value

        @app.get("/after")
        async def after(value: str) -> str:
            return value + "!"

        async with TestClient(app, overrides={"value": "fake"}) as client:
            assert (await client.get("/before")).json() == "fake"
            assert (await client.get("/after")).json() == "fake!"
            async with client.websocket("/socket") as socket:
                await socket.send_json("x")
                assert await socket.receive_json() == "fake"

    async def test_events(self) -> None:
        app, events = Spikard(), Events()
        app.provide("value", Provide(cleaned_async(events)))

        @app.sse("/")
        async def stream(value: str) -> AsyncIterator[str]:
            yield value
            events("end")

        async with TestClient(app) as client:
            assert "data: value" in (await client.get("/")).text
            await asyncio.to_thread(events.wait_for, "close value")
        assert events.seen == ["open value", "end", "close value"]


class TestInjected:
    async def test_each_kind_of_function(self) -> None:
        events = Events()
        container = Container().add_scoped("a", cleaned(events, "a")).add_instance("n", 3)

        async def waiting(x: int, a: str, *, n: int) -> list[Any]:
            return [x, a, n]

        def plain(x: int, a: str) -> list[Any]:
            return [x, a]

        async def stream(x: int, a: str) -> AsyncIterator[Any]:
            yield x
            yield a

        async with container:
            assert await injected(waiting, container)(1) == [1, "a", 3]  # type: ignore[call-arg]
            assert injected(plain, container)(x=1) == [1, "a"]  # type: ignore[call-arg]
            assert [item async for item in injected(stream, container)(1)] == [1, "a"]  # type: ignore[call-arg]
        assert events.seen == ["open a", "close a"] * 3

    async def test_what_it_looks_like(self) -> None:
        container = Container().add_instance("n", 3)

        async def hook(request: object, n: int) -> int:
            return n

        def untouched(request: object) -> None: ...

        assert injected(untouched, container) is untouched
        made = injected(hook, container)
        assert list(inspect.signature(made).parameters) == ["request"]
        assert inspect.iscoroutinefunction(made)
        assert made.__name__ == "hook"
        # A name of the caller's own stays the caller's.
        assert injected(hook, container, given=2) is hook

    async def test_registered_later_and_overridden(self) -> None:
        container = Container()

        async def work(n: Inject[int]) -> int:
            return n

        made = injected(work, container)
        container.add_instance(int, 1)
        assert await made() == 1  # type: ignore[call-arg]
        with container.override(int, value=2):
            assert await made() == 2  # type: ignore[call-arg]
        assert await made() == 1  # type: ignore[call-arg]

    async def test_a_fault_reaches_the_providers(self) -> None:
        events = Events()
        container = Container().add_scoped("a", cleaned_async(events, "a"))

        async def work(a: str) -> None:
            raise LookupError("no")

        def plain(a: str) -> None: ...

        with pytest.raises(LookupError):
            await injected(work, container)()  # type: ignore[call-arg]
        assert events.seen == ["open a", "a saw LookupError", "close a"]
        with pytest.raises(AsyncDependency):
            injected(plain, container)()  # type: ignore[call-arg]

    async def test_what_the_caller_brings(self) -> None:
        container = Container().expect(Request)

        async def hook(request: Any, made: Inject[Brought]) -> Any:
            return made.request is request

        assert await injected(hook, container, given=1, brings={Request: 0})("r") is True  # type: ignore[call-arg]
        with pytest.raises(ScopeError, match="Request"):
            await injected(hook, container, given=1)("r")  # type: ignore[call-arg]

    async def test_required(self) -> None:
        seen: list[str] = []

        def audit() -> Iterator[None]:
            seen.append("open")
            yield
            seen.append("close")

        container = Container().add_scoped("audit", audit)

        async def work() -> None:
            seen.append("work")

        await injected(work, container, required=["audit"])()
        assert seen == ["open", "work", "close"]
