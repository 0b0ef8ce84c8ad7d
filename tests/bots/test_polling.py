"""Dispatchers that poll a server over real sockets."""

import asyncio
from typing import Any

import httpx
import pytest

from spikard.bots import Bot, Dispatcher, F
from spikard.bots.errors import InvalidToken
from spikard.bots.testing import FakeVKTeams
from spikard.bots.types import Message
from tests.bots.polling import Gathered, polling


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


async def test_a_server_that_answers_at_once_leaves_time_for_handlers() -> None:
    waiting = [{"eventId": 1, "type": "newMessage", "payload": {"msgId": "1", "chat": {"chatId": "c"}, "text": "hi"}}]

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("self/get"):
            return httpx.Response(200, json={"ok": True, "userId": "1"})
        events = [waiting.pop()] if waiting else []
        return httpx.Response(200, json={"ok": True, "events": events})

    bot = Bot("a.b:1", "https://api.corp.example/bot/v1")
    bot.http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    dp, seen = Dispatcher(), Gathered()

    @dp.message()
    async def handler(message: Message) -> None:
        await seen.add(message.text)

    async with polling(dp, bot):
        assert await seen.until(1) == ["hi"]
