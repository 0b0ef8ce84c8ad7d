"""Dispatchers that poll a server over real sockets."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from spikard.bots import Bot, Dispatcher, F
from spikard.bots.dispatcher.lanes import Lanes
from spikard.bots.errors import InvalidToken
from spikard.bots.leaving import leave_lane
from spikard.bots.testing import FakeVKTeams
from spikard.bots.types import Message


@asynccontextmanager
async def polling(dp: Dispatcher, *bots: Bot, **options: Any) -> AsyncIterator["asyncio.Task[None]"]:
    task = asyncio.create_task(dp.start_polling(*bots, handle_signals=False, **options))
    try:
        yield task
    finally:
        await dp.stop()
        await asyncio.gather(task, return_exceptions=True)


class Gathered:
    """Values, and waiting for a number of them."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._more = asyncio.Condition()

    async def add(self, value: Any) -> None:
        async with self._more:
            self.values.append(value)
            self._more.notify_all()

    async def until(self, count: int) -> list[Any]:
        async with asyncio.timeout(20), self._more:
            await self._more.wait_for(lambda: len(self.values) >= count)
        return self.values


async def test_messages_are_answered(server: FakeVKTeams) -> None:
    dp, seen = Dispatcher(), Gathered()

    @dp.message(F.text)
    async def echo(message: Message) -> None:
        await message.answer(f"you said {message.text}")
        await seen.add(message.text)

    async with polling(dp, server.bot()):
        for text in ("one", "two", "three"):
            server.push_message(text)
        assert await seen.until(3) == ["one", "two", "three"]
    assert [message.text for message in server.sent] == ["you said one", "you said two", "you said three"]
    assert not dp.is_running


async def test_users_do_not_wait_for_each_other_but_each_keeps_the_order(server: FakeVKTeams) -> None:
    dp, seen = Dispatcher(), Gathered()
    gates: dict[str, asyncio.Event] = {"slow@x": asyncio.Event()}

    @dp.message()
    async def handler(message: Message) -> None:
        assert message.from_user is not None
        user = message.from_user.user_id
        if user in gates:
            await gates[user].wait()
        await seen.add((user, message.text))

    async with polling(dp, server.bot()):
        for number in range(3):
            server.push_message(str(number), user_id="slow@x")
        server.push_message("quick", user_id="quick@x")
        assert await seen.until(1) == [("quick@x", "quick")]
        gates["slow@x"].set()
        assert (await seen.until(4))[1:] == [("slow@x", "0"), ("slow@x", "1"), ("slow@x", "2")]


async def test_what_waits_is_skipped_if_wanted(server: FakeVKTeams) -> None:
    dp, seen = Dispatcher(), Gathered()
    for number in range(250):
        server.push_message(f"old {number}")

    @dp.on_startup
    async def ready() -> None:
        await seen.add("ready")

    @dp.message()
    async def handler(message: Message) -> None:
        await seen.add(message.text)

    bot = server.bot()
    async with polling(dp, bot, skip_updates=True):
        await seen.until(1)
        async with asyncio.timeout(20):
            while server.waiting:
                await bot.get_me()
        server.push_message("new")
        assert await seen.until(2) == ["ready", "new"]


async def test_a_wrong_token_ends_it_at_once(server: FakeVKTeams) -> None:
    bot = Bot("001.9999:123", server.url)
    with pytest.raises(InvalidToken):
        await Dispatcher().start_polling(bot, handle_signals=False)


async def test_faults_of_the_server_are_waited_out(server: FakeVKTeams) -> None:
    dp, seen = Dispatcher(), Gathered()

    @dp.message()
    async def handler(message: Message) -> None:
        await seen.add(message.text)

    server.fail_next("events/get", 504, 2)
    server.fail_next("events/get", "drop", 1)
    server.push_message("through")
    async with polling(dp, server.bot()):
        assert await seen.until(1) == ["through"]


async def test_bad_events_take_no_others_with_them(server: FakeVKTeams) -> None:
    dp, seen = Dispatcher(), Gathered()

    @dp.on_malformed
    async def bad(event: Any) -> None:
        await seen.add("bad")

    @dp.message()
    async def handler(message: Message) -> None:
        await seen.add(message.text)

    server.push_raw({"eventId": "not a number", "type": 5})
    server.push_message("good")
    async with polling(dp, server.bot()):
        assert sorted(await seen.until(2)) == ["bad", "good"]


async def test_stop_lets_handlers_end_and_tells_the_server(server: FakeVKTeams) -> None:
    dp, seen, gate = Dispatcher(), Gathered(), asyncio.Event()
    closed: list[str] = []
    dp.on_shutdown(lambda: closed.append("hook"))

    @dp.message()
    async def handler(message: Message) -> None:
        await seen.add("begun")
        await gate.wait()
        await seen.add("done")

    async with polling(dp, server.bot()) as task:
        server.push_message("x")
        await seen.until(1)
        await dp.stop(grace=20)
        gate.set()
        await asyncio.wait_for(task, 20)
    assert seen.values == ["begun", "done"]
    assert closed == ["hook"]
    assert server.waiting == []


async def test_handlers_that_take_too_long_fail(server: FakeVKTeams) -> None:
    dp, seen = Dispatcher(handler_timeout=0.01), Gathered()

    @dp.message()
    async def handler(message: Message) -> None:
        await asyncio.Event().wait()

    @dp.error()
    async def error(event: Message, error: Exception) -> None:
        await seen.add(type(error))

    async with polling(dp, server.bot()):
        server.push_message("x")
        assert await seen.until(1) == [TimeoutError]


async def test_polling_needs_bots_and_runs_once(server: FakeVKTeams) -> None:
    dp = Dispatcher()
    with pytest.raises(RuntimeError, match="at least one"):
        await dp.start_polling()
    started = asyncio.Event()
    dp.on_startup(started.set)
    bot = server.bot()
    async with polling(dp, bot):
        await asyncio.wait_for(started.wait(), 20)
        with pytest.raises(RuntimeError, match="already"):
            await dp.start_polling(bot)


async def test_lanes_bound_what_runs_and_what_waits() -> None:
    lanes = Lanes(concurrency=2, queue_limit=3)
    running, most, order = 0, 0, []
    gate = asyncio.Event()

    def job(name: str) -> Callable[[], Any]:
        async def work() -> None:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await gate.wait()
            order.append(name)
            running -= 1

        return work

    for name in ("a1", "b1", "c1"):
        await lanes.put(name[0], job(name))
    fourth = asyncio.create_task(lanes.put("a", job("a2")))
    await asyncio.sleep(0)
    assert not fourth.done()
    assert lanes.unfinished == 3
    gate.set()
    await fourth
    assert await lanes.drain(10) == 0
    assert (most, order.index("a1") < order.index("a2"), len(order)) == (2, True, 4)


async def test_what_is_not_done_in_time_is_cancelled() -> None:
    lanes = Lanes(concurrency=1, queue_limit=10)
    for _ in range(3):
        await lanes.put("lane", asyncio.Event().wait)  # type: ignore[arg-type]
    assert await lanes.drain(0.01) == 3
    assert lanes.unfinished == 0


async def test_a_handler_with_a_free_lane_lets_the_next_update_begin(server: FakeVKTeams) -> None:
    dp, seen, gate = Dispatcher(), Gathered(), asyncio.Event()

    @dp.message(F.text == "slow", flags={"lane": "free"})
    async def slow(message: Message) -> None:
        await seen.add("slow begins")
        await gate.wait()
        await seen.add("slow ends")

    @dp.message()
    async def handler(message: Message) -> None:
        await seen.add(message.text)
        if message.text == "third":
            gate.set()

    async with polling(dp, server.bot()):
        for text in ("slow", "second", "third"):
            server.push_message(text)
        assert await seen.until(4) == ["slow begins", "second", "third", "slow ends"]
    with pytest.raises(ValueError, match="'fre'"):
        dp.message.register(handler, flags={"lane": "fre"})


async def test_a_lane_that_was_left_keeps_the_order_of_the_others() -> None:
    lanes = Lanes(concurrency=10, queue_limit=10)
    gate, order = asyncio.Event(), []

    async def leaves() -> None:
        leave = leave_lane.get()
        assert leave is not None
        leave()
        leave()
        await gate.wait()
        order.append("left")

    def job(name: str) -> Callable[[], Any]:
        async def work() -> None:
            await asyncio.sleep(0)
            order.append(name)
            if name == "c":
                gate.set()

        return work

    await lanes.put("lane", leaves)
    for name in "abc":
        await lanes.put("lane", job(name))
    assert await lanes.drain(10) == 0
    assert order == ["a", "b", "c", "left"]
    assert lanes.unfinished == 0
