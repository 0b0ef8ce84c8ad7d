"""Messages of open and own cases, over streams of events and WebSockets, in every way of running."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from spikard import Spikard
from spikard.testing import TestClient
from tests.conformance.message_case import MessageCase, open_message_cases, own_message_cases
from tests.served import Mode

CASES = [*open_message_cases(), *own_message_cases()]


def of(protocol: str) -> pytest.MarkDecorator:
    """The cases of one protocol."""
    cases = [case for case in CASES if case.protocol == protocol]
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.id)


def read(data: str, case: MessageCase) -> Any:
    """The data of an event: text is sent as it is."""
    return data if case.schema.get("type") == "string" else json.loads(data)


def in_mode(mode: Mode, main: Any) -> None:
    """Run a coroutine on a loop of the mode."""
    with asyncio.Runner(loop_factory=mode.new_loop) as runner:
        runner.run(main)


@pytest.mark.parametrize("mode", Mode, ids=lambda mode: mode.value)
@of("sse")
def test_events(case: MessageCase, mode: Mode) -> None:
    app = Spikard()

    @app.sse(case.channel, event_schema=case.schema, validate="strict")
    async def examples() -> AsyncIterator[Any]:
        for example in case.examples:
            yield example

    @app.sse("/refused/{number}", event_schema=case.schema, validate="strict")
    async def refused(number: int) -> AsyncIterator[Any]:
        yield case.refused[number]

    async def main() -> None:
        async with TestClient(app) as client:
            async with client.sse(case.channel) as events:
                assert events.response.headers["content-type"].startswith("text/event-stream")
                assert [read(event.data, case) async for event in events] == case.examples
            text = (await client.get(case.channel)).text
            chunks = [chunk for chunk in text.split("\n\n") if chunk.startswith("data:")]
            assert len(chunks) == len(case.examples)
            for number in range(len(case.refused)):
                async with client.sse(f"/refused/{number}") as events:
                    (event,) = [event async for event in events]
                    assert (event.event, event.json()["error"]) == ("error", "validation"), case.refused[number]

    in_mode(mode, main())


@pytest.mark.parametrize("mode", Mode, ids=lambda mode: mode.value)
@of("websocket")
def test_messages(case: MessageCase, mode: Mode) -> None:
    app, reached = Spikard(), []

    @app.websocket(case.channel, message_schema=case.schema, response_schema=case.schema, validate="strict")
    async def echo(message: Any) -> Any:
        reached.append(message)
        return message

    async def main() -> None:
        async with TestClient(app) as client, client.websocket(case.channel) as ws:
            for example in case.examples:
                await ws.send_json(example)
                assert await ws.receive_json() == example
            reached.clear()
            for wrong in case.refused:
                await ws.send_json(wrong)
                refusal = await ws.receive_json()
                assert (refusal["type"], refusal["error"]) == ("error", "validation"), wrong
                assert all(fault["loc"][0] == "message" for fault in refusal["errors"])
            assert reached == []

    in_mode(mode, main())


def test_every_case_has_a_protocol() -> None:
    assert {case.protocol for case in CASES} == {"sse", "websocket"}
    assert all(case.refused for case in CASES if case.schema.get("required"))
