"""Bots that live with a web application, over real sockets on both sides."""

import asyncio
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest

from spikard import ServerConfig, Spikard
from spikard.bots import Bot, Dispatcher, mount_bot
from spikard.bots.errors import HandlerError, InvalidToken
from spikard.bots.testing import FakeVKTeams
from spikard.bots.testing.fake_server import TOKEN
from spikard.bots.types import Message
from spikard.di import Container, Inject
from spikard.errors import ConfigError
from spikard.testing import TestClient
from tests.bots.test_polling import Gathered

BOT_ID = TOKEN.rpartition(":")[2]
KEY = {"x-api-key": "secret-of-the-day"}


class Orders(list[str]):
    pass


async def test_handlers_and_routes_share_services_and_polling_lives_with_the_application(server: FakeVKTeams) -> None:
    app = Spikard(container=Container().add_singleton(Orders))
    dp, seen = Dispatcher(), Gathered()
    bot = server.bot()
    mount_bot(app, dp, bot)

    @dp.message()
    async def order(message: Message, orders: Inject[Orders]) -> None:
        orders.append(message.text or "")
        await seen.add(message.text)

    @app.get("/orders")
    async def orders(orders: Inject[Orders], bot: Bot) -> dict[str, Any]:
        await bot.send_text("boss@corp", f"{len(orders)} orders")
        return {"orders": list(orders), "bot": bot.id}

    server.push_message("tea")
    async with TestClient(app) as client:
        assert await seen.until(1) == ["tea"]
        assert (await client.get("/orders")).json() == {"orders": ["tea"], "bot": str(bot.id)}
        assert dp.is_running
    assert not dp.is_running
    assert [message.text for message in server.sent] == ["1 orders"]


async def test_health_tells_whether_the_polls_go_well(server: FakeVKTeams, monkeypatch: pytest.MonkeyPatch) -> None:
    app, dp, seen, gate = Spikard(), Dispatcher(), Gathered(), asyncio.Event()
    bot = server.bot(poll_time=1)
    mounted = mount_bot(app, dp, bot, prefix="/my")

    @dp.message()
    async def slow(message: Message) -> None:
        await seen.add("begun")
        await gate.wait()

    async with TestClient(app) as client:
        server.push_message("x")
        await seen.until(1)
        answer = await client.get("/my/health")
        assert answer.status_code == 200
        figures = answer.json()
        assert (figures["status"], figures["queue"]) == ("ok", 1)
        assert figures["bots"][str(bot.id)]["polled"] is True
        assert figures["lag"] is not None
        # From the next poll on none goes well, and time passes.
        server.fail_next("events/get", 500, 1000)
        gate.set()
        server.push_message("y")
        await seen.until(2)
        now = monotonic()
        monkeypatch.setattr("spikard.bots.http.monotonic", lambda: now + 1000)
        answer = await client.get("/my/health")
        assert (answer.status_code, answer.json()["status"]) == (503, "failing")
        monkeypatch.undo()
        assert mounted.health()[0] is True
    assert mounted.health()[0] is False


async def test_of_two_workers_one_polls_and_both_are_well(server: FakeVKTeams, tmp_path: Path) -> None:
    seen = Gathered()
    apps = []
    for _ in range(2):
        app, dp = Spikard(), Dispatcher(f"sqlite:{tmp_path / 'bot.db'}")

        @dp.message()
        async def handler(message: Message) -> None:
            await seen.add(message.text)

        mount_bot(app, dp, server.bot())
        apps.append(app)
    async with TestClient(apps[0]) as one:
        server.push_message("x")
        assert await seen.until(1) == ["x"]
        async with TestClient(apps[1]) as other:
            async with asyncio.timeout(20):
                while not (figures := (await other.get("/bot/health")).json())["bots"][BOT_ID]["stands_by"]:
                    pass
            assert figures["status"] == "ok"
            answer = (await one.get("/bot/health")).json()
            assert (answer["status"], answer["bots"][BOT_ID]["stands_by"]) == ("ok", False)


async def test_programs_in_other_languages_send(server: FakeVKTeams) -> None:
    app = Spikard()
    bot = server.bot()
    mount_bot(app, Dispatcher(), bot, api_key=KEY["x-api-key"])
    order: dict[str, Any] = {
        "chat_id": "ann@corp",
        "text": "<b>hi</b>",
        "parse_mode": "HTML",
        "keyboard": [[{"text": "Yes", "callbackData": "yes"}]],
        "request_id": "r1",
    }
    async with TestClient(app) as client:
        for headers in ({}, {"x-api-key": "secret-of-the-da"}, {"authorization": "Basic secret-of-the-day"}):
            assert (await client.post("/bot/send", json=order, headers=headers)).status_code == 401
            # Nobody's body is read before.
            assert (await client.post("/bot/send", content=b"{", headers=headers)).status_code == 401
        assert server.sent == []
        answer = await client.post("/bot/send", json=order, headers=KEY)
        assert answer.status_code == 200
        assert answer.json() == {"ok": True, "msg_id": server.sent[0].msg_id}
        assert server.sent[0].text == "<b>hi</b>"
        # The same once more: the server has it already.
        bearer = {"authorization": f"Bearer {KEY['x-api-key']}"}
        assert (await client.post("/bot/send", json=order, headers=bearer)).status_code == 200
        assert len(server.sent) == 1
        assert (await client.post("/bot/send", json={**order, "bot_id": "5"}, headers=KEY)).status_code == 404
        assert (await client.post("/bot/send", json={"chat_id": "c"}, headers=KEY)).status_code == 422
        server.fail_next("messages/sendText", {"ok": False, "description": "Permission denied"})
        answer = await client.post("/bot/send", json={"chat_id": "c", "text": "x"}, headers=KEY)
        assert answer.status_code == 502
        assert "Permission denied" in answer.text


async def test_updates_are_brought_by_others(server: FakeVKTeams) -> None:
    app, dp = Spikard(), Dispatcher()
    bot = server.bot()
    mount_bot(app, dp, bot, api_key="key", secret="relay")

    @dp.message()
    async def handler(message: Message) -> None:
        await message.answer(f"you said {message.text}")

    event = {"eventId": 1, "type": "newMessage", "payload": {"msgId": "1", "chat": {"chatId": "c"}, "text": "hi"}}
    async with TestClient(app) as client:
        path = f"/bot/updates/{bot.id}"
        assert (await client.post(path, json=event, headers={"x-api-key": "key"})).status_code == 401
        answer = await client.post(path, json=event, headers={"x-api-key": "relay"})
        assert answer.json() == {"ok": True, "handled": True}
        assert [message.text for message in server.sent] == ["you said hi"]
        other = {**event, "type": "unknownKind"}
        assert (await client.post(path, json=other, headers={"x-api-key": "relay"})).json()["handled"] is False
        assert (await client.post(path, json={"type": 5}, headers={"x-api-key": "relay"})).status_code == 422
        assert (await client.post("/bot/updates/5", json=event, headers={"x-api-key": "relay"})).status_code == 404
        metrics = await client.get("/bot/metrics")
    assert metrics.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'spikard_bot_updates_total{type="newMessage",outcome="handled"} 1' in metrics.text


async def test_without_a_key_only_this_machine_is_served(server: FakeVKTeams) -> None:
    with pytest.raises(ConfigError, match="api_key"):
        mount_bot(Spikard(ServerConfig(host="0.0.0.0")), Dispatcher(), server.bot())
    with pytest.raises(ConfigError, match="at least one"):
        mount_bot(Spikard(), Dispatcher())
    app = Spikard()
    mount_bot(app, Dispatcher(), server.bot())
    async with TestClient(app) as client:
        order = b'{"chat_id": "c", "text": "x"}'
        assert (await client.post("/bot/send", json={"chat_id": "c", "text": "x"})).status_code == 200
        # What a page in a browser may send without asking.
        answer: httpx.Response = await client.post("/bot/send", content=order, headers={"content-type": "text/plain"})
        assert answer.status_code == 415
        assert len(server.sent) == 1


async def test_what_is_wrong_at_the_start_keeps_the_application_from_starting(server: FakeVKTeams) -> None:
    stranger, wrong = Spikard(), Spikard()
    mount_bot(stranger, Dispatcher(), Bot("001.1:999", api_url=server.url, retry=None))
    with pytest.raises(InvalidToken):
        async with TestClient(stranger):
            pass
    dp = Dispatcher()

    @dp.message()
    async def handler(message: Message, absent: Any) -> None: ...

    mount_bot(wrong, dp, server.bot())
    with pytest.raises(HandlerError, match="absent"):
        async with TestClient(wrong):
            pass
