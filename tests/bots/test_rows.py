"""What bots have to live with elsewhere, and not here: each row of that list is a test of its number.

Those that are not here stand beside the tests of their modules.
"""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from spikard.bots import UNHANDLED, BaseMiddleware, Bot, Dispatcher, F, Router
from spikard.bots.errors import HandlerError
from spikard.bots.filters import ChatTypeFilter, Command, CommandObject
from spikard.bots.fsm import (
    BaseStorage,
    FSMContext,
    FSMStrategy,
    MemoryStorage,
    RedisStorage,
    SqliteStorage,
    State,
    StatesGroup,
    StorageKey,
)
from spikard.bots.testing import FakeVKTeams
from spikard.bots.types import Message
from tests.bots.polling import Gathered, polling
from tests.bots.updates import BOT, pressed, said

ROWS = 21


def test_every_row_has_its_test() -> None:
    texts = "".join(file.read_text("utf-8") for file in Path(__file__).parent.rglob("test_*.py"))
    found = {int(number) for number in re.findall(r"def test_row_(\d+)_", texts)}
    assert found == set(range(1, ROWS + 1))


async def test_row_1_the_handler_of_errors_gets_event_and_error() -> None:
    dp, router = Dispatcher(), Router()
    dp.include_router(router)
    seen: list[Any] = []

    @router.message()
    async def fails(message: Message) -> None:
        raise ValueError("out of tea")

    @router.error()
    async def on_error(event: Message, error: Exception) -> None:
        seen.append((event.text, str(error)))

    await dp.feed_update(BOT, said("tea"))
    assert seen == [("tea", "out of tea")]


async def test_row_2_users_do_not_wait_for_each_other(server: FakeVKTeams) -> None:
    dp, seen, all_here = Dispatcher(), Gathered(), asyncio.Barrier(5)

    @dp.message()
    async def handler(message: Message) -> None:
        # Passed only when all five are inside at once.
        async with asyncio.timeout(20):
            await all_here.wait()
        await seen.add(message.from_user.user_id if message.from_user else "")

    async with polling(dp, server.bot()):
        for number in range(5):
            server.push_message("x", f"u{number}")
        assert sorted(await seen.until(5)) == [f"u{number}" for number in range(5)]


async def test_row_3_a_malformed_event_takes_no_others_with_it(server: FakeVKTeams) -> None:
    dp, seen = Dispatcher(), Gathered()

    @dp.message()
    async def handler(message: Message) -> None:
        await seen.add(message.text)

    server.push_message("1")
    server.push_raw({"eventId": "none", "type": 5})
    server.push_raw({"type": "newMessage", "payload": {}})
    for text in ("2", "3"):
        server.push_message(text)
    async with polling(dp, server.bot()):
        assert sorted(await seen.until(3)) == ["1", "2", "3"]
        server.push_message("4")
        await seen.until(4)
    assert dp.stats()["malformed"] >= 1


@pytest.mark.parametrize("joined", [ChatTypeFilter("private") & Command("ban"), Command("x") | Command("ban")])
async def test_row_4_joined_filters_keep_what_they_give(joined: Any) -> None:
    dp = Dispatcher()

    @dp.message(joined)
    async def ban(message: Message, command: CommandObject) -> str:
        return command.args

    assert await dp.feed_update(BOT, said("/ban Ann"), raise_errors=True) == "Ann"


async def test_row_5_any_kind_of_filter_joins_with_any_other() -> None:
    dp = Dispatcher()

    async def waits(message: Message, bot: Any) -> bool:
        return bot is BOT

    for filters in (
        (F.text & Command("a"),),
        (Command("b") & F.text,),
        (lambda message: message.text == "c",),
        (waits, F.text == "d"),
        (Command("e") & (lambda message: True),),
    ):
        dp.message.register(lambda message: message.text, *filters, flags={"inline": True})
    texts = ["/a", "/b", "c", "d", "/e"]
    assert [await dp.feed_update(BOT, said(text), raise_errors=True) for text in texts] == texts
    assert await dp.feed_update(BOT, said("f")) is UNHANDLED


async def test_row_6_outer_middleware_is_called_and_inner_only_if_something_matches() -> None:
    dp = Dispatcher()
    called: list[str] = []

    class Notes(BaseMiddleware):
        def __init__(self, name: str) -> None:
            self.name = name

        async def __call__(self, handler: Any, event: Any, data: dict[str, Any]) -> Any:
            called.append(self.name)
            return await handler(event, data)

    dp.message.outer_middleware.register(Notes("outer"))
    dp.message.middleware.register(Notes("inner"))
    dp.message.register(lambda message: None, F.text == "a", flags={"inline": True})
    await dp.feed_update(BOT, said("b"))
    assert called == ["outer"]
    await dp.feed_update(BOT, said("a"))
    assert called == ["outer", "outer", "inner"]


@pytest.mark.parametrize(("strategy", "shared"), [("user_in_chat", None), ("chat", "s"), ("global_user", None)])
async def test_row_7_the_strategy_of_states_counts(strategy: str, shared: str | None) -> None:
    dp = Dispatcher(fsm_strategy=strategy)

    @dp.message(F.text == "set")
    async def begin(message: Message, state: FSMContext) -> None:
        await state.set_state("s")

    @dp.message()
    async def tell(message: Message, raw_state: str | None) -> str | None:
        return raw_state

    await dp.feed_update(BOT, said("set", user="ann"))
    # Bob in the same chat; Ann in another one.
    assert await dp.feed_update(BOT, said("?", user="bob")) == shared
    elsewhere = await dp.feed_update(BOT, said("?", user="ann", chat={"chatId": "other"}))
    assert elsewhere == ("s" if strategy == "global_user" else None)
    assert dp.fsm_strategy is FSMStrategy(strategy)


async def test_row_8_no_part_of_a_token_is_in_keys_of_states() -> None:
    storage = MemoryStorage()
    token = "001.0123456789.9876543210:77"
    bot = Bot(token)
    dp = Dispatcher(storage)
    keys: list[StorageKey] = []

    @dp.message()
    async def handler(message: Message, state: FSMContext) -> None:
        await state.set_state("s")
        keys.append(state.key)

    await dp.feed_update(bot, said())
    assert [key.bot_id for key in keys] == ["77"]


async def test_row_9_memory_holds_only_those_who_are_in_a_dialogue() -> None:
    storage = MemoryStorage()
    dp = Dispatcher(storage)

    @dp.message(F.text == "begin")
    async def begin(message: Message, state: FSMContext) -> None:
        nested = {"items": [1]}
        await state.update_data(nested)
        nested["items"].append(2)
        (await state.get_data())["items"].append(3)
        assert await state.get_data() == {"items": [1]}

    @dp.message(F.text == "end")
    async def end(message: Message, state: FSMContext) -> None:
        await state.clear()

    dp.message.register(lambda message, state, raw_state: None, flags={"inline": True})
    for number in range(1000):
        await dp.feed_update(BOT, said("hi", user=f"u{number}"), raise_errors=True)
    assert len(storage) == 0
    await dp.feed_update(BOT, said("begin"), raise_errors=True)
    assert len(storage) == 1
    await dp.feed_update(BOT, said("end"), raise_errors=True)
    assert len(storage) == 0


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_row_10_updates_of_data_at_once_lose_nothing(kind: str, tmp_path: Path) -> None:
    storage: BaseStorage = MemoryStorage() if kind == "memory" else SqliteStorage(tmp_path / "bot.db")
    key = StorageKey("1", "c", "u")
    await asyncio.gather(*(FSMContext(storage, key).update_data({f"n{number}": number}) for number in range(30)))
    await storage.set_state(key, "s")
    record = await storage.get(key)
    assert record.data == {f"n{number}": number for number in range(30)}
    # State and data are one record: whoever saw an older one does not write.
    assert await storage.put(key, record, expect_version=record.version - 1) is False
    await storage.close()


async def test_row_12_all_that_waits_is_skipped(server: FakeVKTeams) -> None:
    dp, seen = Dispatcher(), Gathered()

    @dp.message()
    async def handler(message: Message) -> None:
        await seen.add(message.text)

    for number in range(35):
        server.push_message(str(number))
    bot = server.bot()
    async with polling(dp, bot, skip_updates=True):
        async with asyncio.timeout(20):
            while bot.last_event_id < 35:
                await bot.get_me()
        server.push_message("new")
        assert await seen.until(1) == ["new"]


async def test_row_13_the_end_waits_for_handlers_not_for_the_poll(server: FakeVKTeams) -> None:
    dp, seen, gate = Dispatcher(), Gathered(), asyncio.Event()

    @dp.message()
    async def handler(message: Message) -> None:
        await seen.add("begun")
        await gate.wait()
        await seen.add("done")

    bot = server.bot(poll_time=60)
    async with polling(dp, bot) as task:
        server.push_message("x")
        await seen.until(1)
        await dp.stop()
        gate.set()
        # The poll that was under way would have lasted a minute.
        await asyncio.wait_for(task, 20)
    assert seen.values == ["begun", "done"]
    again = Dispatcher()
    again.message.register(handler)
    idle = asyncio.Event()
    again.on_startup(idle.set)
    async with polling(again, server.bot()):
        await asyncio.wait_for(idle.wait(), 20)
        server.push_message("next")
        await seen.until(4)
    # What was handled before the restart did not come again.
    assert seen.values == ["begun", "done"] * 2


async def test_row_14_plain_functions_are_handlers_and_wrong_names_fail_before_the_first_message(
    server: FakeVKTeams,
) -> None:
    dp = Dispatcher()

    @dp.message()
    def plain(message: Message) -> str:
        return "done"

    assert await dp.feed_update(BOT, said(), raise_errors=True) == "done"

    @dp.message()
    async def misspelt(message: Message, databse: Any) -> None: ...

    with pytest.raises(HandlerError, match="databse"):
        await dp.start_polling(server.bot(), handle_signals=False)


async def test_row_16_redis_needs_no_arguments_and_keys_have_their_destiny(redis_url: str) -> None:
    RedisStorage()
    storage = RedisStorage(url=redis_url, key_prefix="row16")
    one, other = StorageKey("1", "c", "u"), StorageKey("1", "c", "u", "second")
    await storage.set_state(one, "a")
    await storage.set_state(other, "b")
    assert [await storage.get_state(key) for key in (one, other)] == ["a", "b"]
    for key in (one, other):
        await storage.set_state(key, None)
    await storage.close()


class Base(StatesGroup):
    first = State()


class Derived(Base):
    second = State("named")


def test_row_17_no_cycles_and_states_are_inherited_and_called_as_they_are_named() -> None:
    one, other = Router("one"), Router("other")
    one.include_router(other)
    with pytest.raises(RuntimeError, match="one"):
        other.include_router(one)
    assert [state.state for state in Derived] == ["Base:first", "Derived:named"]
    assert Base.first in Derived


async def test_row_20_handlers_are_looked_up_and_not_walked_through() -> None:
    dp = Dispatcher()
    asked = 0

    class Counted(Command):
        def check(self, event: Any, data: dict[str, Any]) -> Any:
            nonlocal asked
            asked += 1
            return super().check(event, data)

    for number in range(1000):
        dp.message.register(lambda message, number=number: number, Counted(f"c{number}"), flags={"inline": True})
    assert await dp.feed_update(BOT, said("/c999")) == 999
    assert asked == 1
    assert await dp.feed_update(BOT, pressed()) is UNHANDLED
    assert asked == 1
