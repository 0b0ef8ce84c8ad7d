"""Channels over a bus: what is said in one process reaches the members in others."""

import asyncio
from collections.abc import Callable
from secrets import token_hex
from typing import Literal

import pytest

from spikard import Spikard, WebSocket
from spikard.errors import ConfigError
from spikard.pubsub import Bus, MemoryBus, MemoryMedium
from spikard.pubsub.redis import RedisBus
from spikard.testing import MemoryClient
from spikard.testing.websocket import WebSocketConnection
from tests.services import redis_url

__all__ = ["redis_url"]

MakeBus = Callable[[], Bus]


@pytest.fixture(params=["memory", "redis"])
def make_bus(request: pytest.FixtureRequest) -> MakeBus:
    """Another bus on the medium of this test."""
    if request.param == "memory":
        medium = MemoryMedium()
        return lambda: MemoryBus(medium)
    url, prefix = request.getfixturevalue("redis_url"), f"test-{token_hex(8)}:"
    return lambda: RedisBus(url, prefix=prefix)


def chat(bus: Bus, slow: Literal["close", "drop"] = "close") -> Spikard:
    """An application whose sockets say everything to their room."""
    app = Spikard()
    app.channels.use(bus, slow=slow)

    @app.websocket("/{room}", queue=4, compression=False)
    async def talk(ws: WebSocket, room: str) -> None:
        await ws.accept()
        channel = app.channels[room]
        async with channel.joined(ws):
            await ws.send_text("joined")
            async for message in ws:
                await channel.broadcast(message, exclude=ws)

    return app


async def joined(ws: WebSocketConnection) -> WebSocketConnection:
    assert await ws.recv() == "joined"
    return ws


def test_messages_reach_the_members_everywhere(make_bus: MakeBus) -> None:
    here, there = chat(make_bus()), chat(make_bus())

    async def body() -> None:
        async with (
            MemoryClient(here) as near,
            MemoryClient(there) as far,
            near.websocket("/tea") as ada,
            near.websocket("/tea") as grace,
            far.websocket("/tea") as joan,
            far.websocket("/coffee") as apart,
        ):
            for ws in (ada, grace, joan, apart):
                await joined(ws)
            said = ["text", "\N{HOT BEVERAGE}", bytes(range(256)), ""]
            for message in said:
                await ada.send(message)
            assert [await grace.recv() for _ in said] == said
            assert [await joan.recv() for _ in said] == said
            await joan.send("answer")
            assert [await ada.recv(), await grace.recv()] == ["answer"] * 2
            # Values are the same JSON everywhere, whoever says them.
            assert await here.channels["coffee"].broadcast({"a": [1]}) == 0
            assert await apart.receive_json() == {"a": [1]}
        assert len(here.channels) == len(there.channels) == 0

    asyncio.run(body())


def test_a_channel_may_close_and_open_again(make_bus: MakeBus) -> None:
    here, there = chat(make_bus()), chat(make_bus())

    async def body() -> None:
        async with MemoryClient(here) as near, MemoryClient(there) as far, near.websocket("/tea") as ada:
            await joined(ada)
            for number in range(5):
                async with far.websocket("/tea") as joan:
                    await joined(joan)
                    await ada.send(str(number))
                    assert await joan.recv() == str(number)

    asyncio.run(body())


@pytest.mark.parametrize("slow", ["close", "drop"])
def test_slow_members_are_closed_or_left_out(make_bus: MakeBus, slow: Literal["close", "drop"]) -> None:
    here, there = chat(make_bus()), chat(make_bus(), slow)
    counts = there.channels.counts

    async def body() -> None:
        async with (
            MemoryClient(here) as near,
            MemoryClient(there) as far,
            near.websocket("/tea") as ada,
            far.websocket("/tea") as joan,
            far.websocket("/tea") as grace,
        ):
            for ws in (ada, joan, grace):
                await joined(ws)
            # This client does not read: what fits into buffers and queue is taken, the rest finds no room.
            big = "x" * 100_000
            resumed, read = asyncio.Event(), joan._stream.read

            async def read_later(size: int) -> bytes:
                await resumed.wait()
                return await read(size)

            joan._stream.read = read_later  # type: ignore[assignment,method-assign]
            for _ in range(12):
                await ada.send(big)
                assert await grace.recv() == big
            resumed.set()
            if slow == "close":
                assert (counts.closed, counts.dropped) == (1, 0)
                assert len(there.channels["tea"]) == 1
                await joan.wait_closed()
                assert joan.close_code == 1013
            else:
                assert counts.closed == 0
                assert counts.dropped > 0
                assert len(there.channels["tea"]) == 2
                assert await joan.recv() == big

    asyncio.run(body())


def test_the_bus_is_chosen_before_the_start() -> None:
    app = chat(MemoryBus())

    async def body() -> None:
        async with MemoryClient(app):
            with pytest.raises(ConfigError, match="running already"):
                app.channels.use(MemoryBus())

    asyncio.run(body())
    app.channels.use(MemoryBus())
    with pytest.raises(ConfigError, match="slow must be one of close, drop, not 'wait'"):
        app.channels.use(MemoryBus(), slow="wait")  # type: ignore[arg-type]
