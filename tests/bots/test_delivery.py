"""What becomes of updates when processes, handlers and databases fail."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from spikard.bots import Dispatcher, FSMContext
from spikard.bots.fsm import Record, SqliteStorage, StorageKey
from spikard.bots.offsets import Finish, JournalEntry, MemoryOffsets, Write
from spikard.bots.testing import FakeVKTeams
from spikard.bots.types import Message
from spikard.errors import ConfigError
from tests.bots.polling import Gathered, polling

BOT = "1000000001"
KEY = StorageKey(BOT, "ann@corp.example", "ann@corp.example")


class Failing(SqliteStorage):
    """A database that refuses some calls."""

    def __init__(self, path: Path, **refusals: int) -> None:
        super().__init__(path, synchronous="normal")
        self.refusals = refusals

    def refuse(self, name: str) -> None:
        if self.refusals.get(name, 0):
            self.refusals[name] -= 1
            raise OSError(f"{name}: the database is away")

    async def get(self, key: StorageKey) -> Record:
        self.refuse("get")
        return await super().get(key)

    async def take(self, bot_id: str, last_id: int, entries: Sequence[JournalEntry]) -> None:
        self.refuse("take")
        await super().take(bot_id, last_id, entries)

    async def pending(self, bot_id: str, after: int = -1, limit: int = 1000) -> list[JournalEntry]:
        self.refuse("pending")
        return await super().pending(bot_id, after, limit)

    async def bury(self, bot_id: str, event_id: int, error: str) -> None:
        self.refuse("bury")
        await super().bury(bot_id, event_id, error)

    async def finish(self, bot_id: str, event_id: int, writes: Sequence[Write] = ()) -> Finish:
        if writes:
            self.refuse("writes")
        self.refuse("finish")
        return await super().finish(bot_id, event_id, writes)


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[Failing]:
    one = Failing(tmp_path / "bot.db")
    yield one
    await one.close()


def again(storage: Failing, **refusals: int) -> Failing:
    return Failing(Path(storage.path), **refusals)


def event(number: int, text: str) -> JournalEntry:
    payload = {"msgId": str(number), "chat": {"chatId": "ann@corp.example"}, "from": {"userId": "ann@corp.example"}}
    raw = {"eventId": number, "type": "newMessage", "payload": {**payload, "text": text}}
    return JournalEntry(number, msgspec.json.encode(raw))


def recording(storage: Any, seen: Gathered, **options: Any) -> Dispatcher:
    dp = Dispatcher(storage, **options)

    @dp.message()
    async def handler(message: Message) -> None:
        await seen.add(message.text)

    return dp


async def interrupted(server: FakeVKTeams, storage: Failing, *, answers: bool = False) -> None:
    """A process that ends in the middle of a handler."""
    dp, begun = Dispatcher(storage), Gathered()

    @dp.message()
    async def handler(message: Message, state: FSMContext) -> None:
        await state.update_data(half="done")
        if answers:
            await message.answer("hello")
        await begun.add(message.text)
        await asyncio.Event().wait()

    async with polling(dp, server.bot()) as task:
        await begun.until(1)
        await dp.stop(grace=0)
        await asyncio.wait_for(task, 20)


async def test_what_was_not_handled_goes_before_what_is_new(server: FakeVKTeams, storage: Failing) -> None:
    await storage.take(BOT, 4, [event(2, "two"), event(4, "four")])
    for number in range(6):
        server.push_message(f"new {number}")
    seen = Gathered()
    async with polling(recording(storage, seen), server.bot()):
        # The first four are below the id up to which everything was taken over.
        assert await seen.until(4) == ["two", "four", "new 4", "new 5"]
    kept = again(storage)
    assert await kept.pending(BOT) == []
    assert await kept.last_id(BOT) == 6
    await kept.close()


async def test_an_interrupted_handler_runs_again_and_nobody_is_told_twice(
    server: FakeVKTeams, storage: Failing
) -> None:
    server.push_message("x")
    await interrupted(server, storage, answers=True)
    assert await again(storage).get_data(KEY) == {}, "half of a handler's writes"
    seen = Gathered()
    dp = Dispatcher(again(storage))

    @dp.message()
    async def handler(message: Message, state: FSMContext) -> None:
        await state.update_data(count=(await state.get_data()).get("count", 0) + 1)
        await message.answer("hello")
        await seen.add(await state.get_data())

    async with polling(dp, server.bot()):
        assert await seen.until(1) == [{"count": 1}]
    # Not the handler of before, so its ids are others; what is the same is below.
    assert await again(storage).get_data(KEY) == {"count": 1}


async def test_the_same_handler_sends_the_same_ids(server: FakeVKTeams, storage: Failing) -> None:
    server.push_message("x")
    await interrupted(server, storage, answers=True)
    await interrupted(server, again(storage), answers=True)
    assert [message.text for message in server.sent] == ["hello"]
    assert server.duplicates == 1


async def test_what_ends_the_process_three_times_is_put_aside(
    server: FakeVKTeams, storage: Failing, caplog: pytest.LogCaptureFixture
) -> None:
    server.push_message("poison")
    server.push_message("behind it")
    for _ in range(3):
        await interrupted(server, again(storage))
    seen = Gathered()
    async with polling(recording(again(storage), seen), server.bot()):
        assert await seen.until(1) == ["behind it"]
    kept = again(storage)
    (letter,) = await kept.dead(BOT)
    assert (letter.event_id, letter.attempts) == (1, 3)
    assert "begun 3 times alone" in letter.error
    assert "event 1 is a dead letter" in caplog.text

    assert await kept.revive(BOT, 1)
    await kept.close()
    async with polling(recording(again(storage), seen), server.bot()):
        assert (await seen.until(2))[1] == "poison"


async def test_a_handler_that_fails_is_not_run_again(server: FakeVKTeams, storage: Failing) -> None:
    dp, seen = Dispatcher(storage), Gathered()

    @dp.message()
    async def handler(message: Message, state: FSMContext) -> None:
        await state.update_data(kept=True)
        await seen.add(message.text)
        raise ValueError(message.text)

    async with polling(dp, server.bot()):
        server.push_message("x")
        server.push_message("y")
        await seen.until(2)
    async with polling(recording(again(storage), seen), server.bot()):
        server.push_message("z")
        assert await seen.until(3) == ["x", "y", "z"]
    assert await again(storage).get_data(KEY) == {"kept": True}


async def test_events_that_come_twice_are_handled_once(server: FakeVKTeams) -> None:
    seen = Gathered()
    raw = msgspec.json.decode(event(1, "one").raw)
    other = msgspec.json.decode(event(2, "two").raw)
    for one in (raw, raw, other, raw):
        server.push_raw(one)
    async with polling(recording("memory:", seen, delivery="at_least_once"), server.bot()):
        await seen.until(2)
        server.push_raw(other)
        server.push_raw(msgspec.json.decode(event(3, "three").raw))
        assert await seen.until(3) == ["one", "two", "three"]


async def test_a_database_that_is_away_costs_time_only(server: FakeVKTeams, storage: Failing) -> None:
    storage.refusals = {"pending": 2, "take": 2, "get": 2, "finish": 6, "bury": 9}
    dp, seen = Dispatcher(storage), Gathered()

    @dp.message()
    async def handler(message: Message, state: FSMContext) -> None:
        await state.set_state("seen")
        await seen.add(message.text)

    server.push_message("one")
    server.push_message("two", user_id="bob@corp.example")
    async with polling(dp, server.bot()):
        assert sorted(await seen.until(2)) == ["one", "two"]
    kept = again(storage)
    assert await kept.get_state(KEY) == "seen"
    assert (await kept.pending(BOT), await kept.dead(BOT)) == ([], [])
    await kept.close()


async def test_writes_that_a_database_refuses_do_not_stop_the_bot(server: FakeVKTeams, storage: Failing) -> None:
    storage.refusals = {"writes": 3}
    dp, seen = Dispatcher(storage), Gathered()

    @dp.message()
    async def handler(message: Message, state: FSMContext) -> None:
        await state.set_state(message.text)
        await seen.add(message.text)

    async with polling(dp, server.bot()):
        server.push_message("refused")
        server.push_message("fine")
        assert await seen.until(2) == ["refused", "fine"]
    kept = again(storage)
    (letter,) = await kept.dead(BOT)
    assert "the database is away" in letter.error
    assert await kept.get_state(KEY) == "fine"
    await kept.close()


async def test_a_transaction_that_others_were_faster_than_runs_again(server: FakeVKTeams, storage: Failing) -> None:
    dp, seen = Dispatcher(storage), Gathered()

    @dp.message()
    async def handler(message: Message, state: FSMContext) -> None:
        async with state.transaction() as change:
            change.data["total"] = change.data.get("total", 0) + 1
        if not seen.values:
            await storage.update_data(KEY, {"total": 10})
        await seen.add("run")

    async with polling(dp, server.bot()):
        server.push_message("x")
        await seen.until(2)
    assert await again(storage).get_data(KEY) == {"total": 11}


async def test_single_writes_join_those_of_others(server: FakeVKTeams, storage: Failing) -> None:
    dp, seen = Dispatcher(storage), Gathered()

    @dp.message()
    async def handler(message: Message, state: FSMContext) -> None:
        await state.update_data(mine=1)
        assert await state.get_data() == {"mine": 1}
        await storage.update_data(KEY, {"theirs": 2})
        await state.set_state("done")
        assert await storage.get_state(KEY) is None, "it is held back until the handler ends"
        await seen.add("run")

    async with polling(dp, server.bot()):
        server.push_message("x")
        await seen.until(1)
    kept = await again(storage).get(KEY)
    assert (kept.state, kept.data) == ("done", {"mine": 1, "theirs": 2})
    assert seen.values == ["run"]


async def test_a_handler_outside_of_its_lane_writes_at_once(server: FakeVKTeams, storage: Failing) -> None:
    dp, seen, gate = Dispatcher(storage), Gathered(), asyncio.Event()

    @dp.message(flags={"lane": "free"})
    async def handler(message: Message, state: FSMContext) -> None:
        if message.text == "long":
            await state.set_state("working")
            await seen.add(await storage.get_state(KEY))
            await gate.wait()
        await seen.add(message.text)

    async with polling(dp, server.bot()):
        server.push_message("long")
        server.push_message("short")
        assert sorted(await seen.until(2)) == ["short", "working"]
        gate.set()
        await seen.until(3)


async def test_at_most_once_forgets_what_was_interrupted(server: FakeVKTeams, storage: Failing) -> None:
    dp, seen = Dispatcher(storage, delivery="at_most_once"), Gathered()

    @dp.message()
    async def handler(message: Message) -> None:
        await seen.add(message.text)
        await asyncio.Event().wait()

    async with polling(dp, server.bot()) as task:
        server.push_message("x")
        await seen.until(1)
        await dp.stop(grace=0)
        await asyncio.wait_for(task, 20)
    after = Gathered()
    async with polling(recording(again(storage), after), server.bot()):
        server.push_message("y")
        assert await after.until(1) == ["y"]


async def test_offsets_may_be_kept_apart_from_states(server: FakeVKTeams, storage: Failing) -> None:
    seen = Gathered()
    async with polling(recording("memory:", seen, offsets=storage), server.bot()):
        server.push_message("x")
        await seen.until(1)
    assert await again(storage).last_id(BOT) == 1


async def test_it_is_said_what_a_kill_loses(server: FakeVKTeams, caplog: pytest.LogCaptureFixture) -> None:
    for options, told in (({}, True), ({"delivery": "at_least_once"}, False), ({"offsets": MemoryOffsets()}, True)):
        caplog.clear()
        started = asyncio.Event()
        dp = Dispatcher(**options)  # type: ignore[arg-type]
        dp.on_startup(started.set)
        async with polling(dp, server.bot()):
            await asyncio.wait_for(started.wait(), 20)
        assert ("when the process is killed" in caplog.text) is told
        assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    with pytest.raises(ConfigError, match="exactly_once"):
        Dispatcher(delivery="exactly_once")  # type: ignore[arg-type]
