"""Conversations over WebSockets, in every way of running."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from spikard import Spikard
from spikard.testing import MemoryClient, TestClient
from spikard.testing.websocket import WebSocketConnection
from tests.served import Mode

Client = TestClient | MemoryClient
Body = Callable[[Client], Awaitable[None]]
Run = Callable[[Spikard, Body], None]


@pytest.fixture(params=[TestClient, MemoryClient])
def run(mode: Mode, request: pytest.FixtureRequest) -> Run:
    """Runs a test's body inside a client, in every way of running."""

    def run(app: Spikard, body: Body) -> None:
        async def main() -> None:
            async with request.param(app, timeout=15) as client:
                await body(client)

        with asyncio.Runner(loop_factory=mode.new_loop) as runner:
            runner.run(main())

    return run


async def exchange(ws: WebSocketConnection, *messages: Any) -> list[Any]:
    """The answers to messages, one each."""
    answers = []
    for message in messages:
        await ws.send(message if isinstance(message, str | bytes) else json.dumps(message))
        answer = await ws.recv()
        answers.append(json.loads(answer) if isinstance(answer, str) else answer)
    return answers


async def closed(ws: WebSocketConnection) -> tuple[int | None, str | None]:
    """How the server closes."""
    await ws.wait_closed()
    return ws.close_code, ws.close_reason
