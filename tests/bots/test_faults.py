"""A bad network, shortened: a fifth of all calls fail, in every way there is."""

import logging
import random
from pathlib import Path
from typing import Any

import pytest

from spikard.bots import Dispatcher, FSMContext, Retry
from spikard.bots.dispatcher import polling as polls
from spikard.bots.fsm import SqliteStorage
from spikard.bots.testing import FakeVKTeams
from spikard.bots.types import Message
from tests.bots.polling import Gathered, polling, until

CALLS, UPDATES, USERS = 1000, 200, 20
SHARE = 0.2
# What a call is repeated after.
PASSING: list[Any] = ["drop", "lost", 429, 500, 502, 503, 504, 0.02, {"ok": False, "description": "Server error 1"}]
# Answers to polls that make no sense.
NONSENSE: list[Any] = ["html", 404, {"ok": True, "events": 5}, {"ok": True, "events": [5, None, {"eventId": "x"}]}]


def troubled(server: FakeVKTeams, chance: random.Random) -> None:
    """Puts a fault before a fifth of the next calls; those without have no delay."""
    for method, faults in (("messages/sendText", PASSING), ("events/get", PASSING + NONSENSE)):
        for _ in range(CALLS):
            server.fail_next(method, chance.choice(faults) if chance.random() < SHARE else 0.0)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_nothing_is_lost_and_nobody_is_stuck(
    server: FakeVKTeams, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "httpcore")
    monkeypatch.setattr(polls, "_LONGEST_PAUSE", 0.01)
    chance = random.Random(6)
    server.batch = 7
    troubled(server, chance)
    storage = "memory:" if kind == "memory" else SqliteStorage(tmp_path / "bot.db", synchronous="normal")
    dp, seen = Dispatcher(storage, delivery="at_least_once"), Gathered()

    @dp.message()
    async def handler(message: Message, state: FSMContext) -> None:
        count = (await state.update_data(count=await state.get_value("count", 0) + 1))["count"]
        await message.answer(f"{message.text} {count}")
        await seen.add(message.text)

    # More attempts than faults can come in a row.
    bot = server.bot(poll_time=1, timeout=5, retry=Retry(attempts=40, base=0.001, max_delay=0.01))
    writers = [f"user-{chance.randrange(USERS)}@corp.example" for _ in range(UPDATES)]
    async with polling(dp, bot) as task:
        for number, user in enumerate(writers):
            server.push_message(str(number), user_id=user)
            if number % 25 == 0:
                await until(lambda: len(server.waiting) < 50)
                server.push("newMessage", {"chat": number})
        server.push_raw("nonsense")
        await seen.until(UPDATES)
        assert not task.done()
    assert task.exception() is None
    expected: dict[str, list[str]] = {}
    for number, user in enumerate(writers):
        mine = expected.setdefault(user, [])
        mine.append(f"{number} {len(mine) + 1}")
    got: dict[str, list[str]] = {}
    for message in server.sent:
        got.setdefault(message.chat_id, []).append(message.text or "")
    assert got == expected
    assert len(seen.values) == UPDATES
    # An event that the server repeats is told of once.
    assert caplog.text.count("Expected `object`, got `str`") == 1
