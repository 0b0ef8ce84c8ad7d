"""How polling ends."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import pytest

from spikard.bots import Dispatcher, Router
from spikard.bots.fsm import SqliteStorage
from spikard.bots.testing import FakeVKTeams
from spikard.bots.types import Message
from tests.bots.polling import Gathered, polling, until

BOT = "1000000001"


def gated(dp: Dispatcher, begun: Gathered, gate: asyncio.Event, done: list[Any]) -> None:
    @dp.message()
    async def handler(message: Message) -> None:
        await begun.add(message.text)
        await gate.wait()
        done.append(message.text)


async def test_what_was_fetched_is_handled_in_memory_and_the_rest_waits_at_the_server(server: FakeVKTeams) -> None:
    dp, begun, gate, done = Dispatcher(concurrency=1, queue_limit=250), Gathered(), asyncio.Event(), []
    gated(dp, begun, gate, done)
    for number in range(1000):
        server.push_message(str(number), user_id=f"user-{number}")
    bot = server.bot()
    async with polling(dp, bot, close_bot_on_stop=False) as task:
        await begun.until(1)
        await until(lambda: server.polls >= 3)
        await dp.stop()
        gate.set()
        await asyncio.wait_for(task, 60)
    first = len(done)
    assert 100 <= first <= 300
    assert [event["eventId"] for event in server.waiting] == list(range(first + 1, 1001))
    again, seen = Dispatcher(), Gathered()

    @again.message()
    async def handler(message: Message) -> None:
        done.append(message.text)
        await seen.add(message.text)

    async with polling(again, bot):
        await seen.until(1000 - first)
    assert sorted(done, key=int) == [str(number) for number in range(1000)]


async def test_what_waits_stays_in_the_journal(
    server: FakeVKTeams, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    storage = SqliteStorage(tmp_path / "bot.db", synchronous="normal")
    dp, begun, gate, done = Dispatcher(storage, concurrency=1), Gathered(), asyncio.Event(), []
    gated(dp, begun, gate, done)
    for number in range(100):
        server.push_message(str(number))
    async with polling(dp, server.bot()) as task:
        await begun.until(1)
        await dp.stop()
        await until(lambda: "wait in the journal" in caplog.text)
        gate.set()
        await asyncio.wait_for(task, 20)
    assert done == ["0"]
    assert server.waiting == []
    assert [entry.event_id for entry in await storage.pending(BOT)] == list(range(2, 101))
    again, seen = Dispatcher(storage), Gathered()

    @again.message()
    async def handler(message: Message) -> None:
        await seen.add(message.text)

    async with polling(again, server.bot()):
        assert await seen.until(99) == [str(number) for number in range(1, 100)]


async def test_what_does_not_end_in_time_is_named(server: FakeVKTeams, caplog: pytest.LogCaptureFixture) -> None:
    dp, begun = Dispatcher(concurrency=1), Gathered()
    gated(dp, begun, asyncio.Event(), [])
    server.push_message("runs")
    server.push_message("waits")
    async with polling(dp, server.bot()) as task:
        await begun.until(1)
        await dp.stop(grace=0)
        await asyncio.wait_for(task, 20)
    assert f"are lost: 1 of bot {BOT}, 2 of bot {BOT}" in caplog.text


async def test_the_last_call_is_for_the_next_start(server: FakeVKTeams) -> None:
    """It tells the server what is done; what comes back with it is not taken over."""
    dp, begun, gate = Dispatcher(), Gathered(), asyncio.Event()
    gated(dp, begun, gate, [])
    bot = server.bot()
    async with polling(dp, bot, close_bot_on_stop=False) as task:
        server.push_message("first")
        await begun.until(1)
        await dp.stop()
        server.push_message("second")
        gate.set()
        await asyncio.wait_for(task, 20)
    assert bot.last_event_id <= 2
    async with polling(dp, bot):
        assert (await begun.until(2))[1] == "second"


@pytest.mark.parametrize("how", ["stop", "signal", "cancel"])
async def test_every_end_runs_the_hooks(server: FakeVKTeams, how: str) -> None:
    dp, inner, order, begun = Dispatcher(), Router("inner"), [], asyncio.Event()
    dp.include_router(inner)
    dp.on_startup(lambda: order.append("root begins"))
    inner.on_startup(lambda: (order.append("inner begins"), begun.set()))
    dp.on_shutdown(lambda: order.append("root ends"))
    inner.on_shutdown(lambda: order.append("inner ends"))
    bot = server.bot(poll_time=60)
    task = asyncio.create_task(dp.start_polling(bot, handle_signals=how == "signal"))
    await asyncio.wait_for(begun.wait(), 20)
    await until(lambda: server.polls)
    if how == "stop":
        await dp.stop()
    elif how == "signal":
        signal.raise_signal(signal.SIGTERM)
    else:
        task.cancel()
    # A poll that is under way is not waited for.
    await asyncio.wait({task}, timeout=20)
    assert task.cancelled() is (how == "cancel")
    assert order == ["root begins", "inner begins", "inner ends", "root ends"]
    assert not dp.is_running


async def test_a_second_signal_cancels_handlers(server: FakeVKTeams) -> None:
    dp, begun, order = Dispatcher(), Gathered(), []
    dp.on_shutdown(lambda: order.append("hook"))

    @dp.message()
    async def handler(message: Message) -> None:
        await begun.add(message.text)
        try:
            await asyncio.Event().wait()
        finally:
            order.append("cancelled")

    server.push_message("endless")
    task = asyncio.create_task(dp.start_polling(server.bot()))
    await begun.until(1)
    signal.raise_signal(signal.SIGINT)
    await asyncio.sleep(0)
    assert order == []
    signal.raise_signal(signal.SIGINT)
    await asyncio.wait_for(task, 20)
    assert order == ["cancelled", "hook"]


async def test_hooks_of_what_had_not_started_do_not_run(server: FakeVKTeams) -> None:
    dp, first, second, third = Dispatcher(), Router("first"), Router("second"), Router("third")
    dp.include_routers(first, second, third)
    ended: list[str] = []
    for router in (dp, first, second, third):
        router.on_shutdown(lambda name=router.name: ended.append(name))

    @second.on_startup
    def fail() -> None:
        raise OSError("no such database")

    bot = server.bot()
    with pytest.raises(OSError, match="no such database"):
        await dp.start_polling(bot, handle_signals=False)
    assert ended == ["first", "Dispatcher"]
    assert server.polls == 0
    assert not dp.is_running


async def test_a_hook_that_fails_at_the_end_stops_no_other(server: FakeVKTeams) -> None:
    dp, inner, ended, begun = Dispatcher(), Router("inner"), [], asyncio.Event()
    dp.include_router(inner)
    dp.on_startup(begun.set)
    dp.on_shutdown(lambda: ended.append("root"))

    @inner.on_shutdown
    def fail() -> None:
        raise ValueError("cannot say goodbye")

    task = asyncio.create_task(dp.start_polling(server.bot(), handle_signals=False))
    await asyncio.wait_for(begun.wait(), 20)
    await dp.stop()
    with pytest.raises(ValueError, match="goodbye"):
        await asyncio.wait_for(task, 20)
    assert ended == ["root"]


async def test_a_handler_that_cancels_itself_takes_no_others_with_it(server: FakeVKTeams) -> None:
    dp, seen = Dispatcher(), Gathered()

    @dp.message()
    async def handler(message: Message) -> None:
        if message.text == "cancel":
            raise asyncio.CancelledError
        await seen.add(message.text)

    async with polling(dp, server.bot()):
        server.push_message("cancel")
        server.push_message("after it")
        assert await seen.until(1) == ["after it"]
