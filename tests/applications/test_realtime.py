"""Applications as programs write them: events and sockets right after the application, with the module's decorators."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from spikard import Spikard, background, get, post, sse, websocket
from spikard.testing import TestClient

MESSAGE = {
    "type": "object",
    "properties": {"user": {"type": "string"}, "text": {"type": "string", "minLength": 1}},
    "required": ["user", "text"],
}


def create_chat() -> Spikard:
    app = Spikard()

    @websocket("/chat", message_schema=MESSAGE)
    async def chat(message: dict[str, Any]) -> dict[str, Any] | None:
        if message["text"] == "psst":
            return None
        return {"user": "server", "text": f"{message['user']}: {message['text']}"}

    return app


def create_notifications() -> Spikard:
    app = Spikard()

    @sse("/notifications")
    async def notifications() -> AsyncIterator[dict[str, Any]]:
        for level in ("info", "warning"):
            yield {"level": level, "message": "Disk is\nfull"}
            await asyncio.sleep(0)

    return app


def create_counter() -> Spikard:
    app = Spikard()
    state: dict[str, list[int]] = {"events": []}

    async def record(number: int) -> None:
        state["events"].append(number)

    @post("/events/{number:int}")
    async def add(number: int) -> dict[str, bool]:
        background.run(record(number))
        return {"accepted": True}

    @get("/events")
    async def events() -> dict[str, list[int]]:
        return state

    return app


async def test_messages_and_their_answers() -> None:
    async with TestClient(create_chat()) as client, client.websocket("/chat") as ws:
        await ws.send_json({"user": "ada", "text": "hello"})
        assert await ws.receive_json() == {"user": "server", "text": "ada: hello"}
        # No answer, and no end of the connection.
        await ws.send_json({"user": "ada", "text": "psst"})
        await ws.send('{"user": "ada", "text": "still there?"}')
        assert await ws.receive_json() == {"user": "server", "text": "ada: still there?"}


@pytest.mark.parametrize("message", ['{"user": "ada"}', '{"user": "ada", "text": ""}', '"text"', "no json"])
async def test_messages_that_do_not_fit(message: str) -> None:
    async with TestClient(create_chat()) as client, client.websocket("/chat") as ws:
        await ws.send(message)
        told = await ws.receive_json()
        assert (told["type"], told["error"]) == ("error", "validation")
        assert told["errors"]
        # The connection goes on.
        await ws.send_json({"user": "ada", "text": "better"})
        assert (await ws.receive_json())["text"] == "ada: better"


async def test_several_who_chat() -> None:
    async with TestClient(create_chat()) as client:
        async with client.websocket("/chat") as one, client.websocket("/chat") as other:
            for user, ws in (("ada", one), ("bob", other)):
                await ws.send_json({"user": user, "text": "hi"})
            assert (await one.receive_json())["text"] == "ada: hi"
            assert (await other.receive_json())["text"] == "bob: hi"
        assert (await client.get("/chat")).status_code == 426


async def test_events_as_they_are_made() -> None:
    async with TestClient(create_notifications()) as client:
        async with client.sse("/notifications") as events:
            found = [event.json() async for event in events]
        assert found == [{"level": level, "message": "Disk is\nfull"} for level in ("info", "warning")]
        response = await client.get("/notifications")
        assert response.headers["content-type"].split(";")[0] == "text/event-stream"
        assert response.headers["cache-control"] == "no-cache"


async def test_work_of_one_request_is_done_before_the_next() -> None:
    async with TestClient(create_counter()) as client:
        for number in range(5):
            assert (await client.post(f"/events/{number}")).json() == {"accepted": True}
            assert (await client.get("/events")).json() == {"events": list(range(number + 1))}


async def test_applications_of_factories_do_not_meet() -> None:
    async with TestClient(create_chat()) as chat, TestClient(create_notifications()) as notifications:
        assert (await chat.get("/notifications")).status_code == 404
        assert (await notifications.get("/chat")).status_code == 404
