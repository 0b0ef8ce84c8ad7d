"""People who talk with a bot, without a server."""

import asyncio
from typing import Any

import pytest

from spikard.bots import UNHANDLED, BaseMiddleware, Bot, Dispatcher, F, Retry
from spikard.bots.errors import APIError, NetworkError, ServerError
from spikard.bots.filters import Command
from spikard.bots.fsm import FSMContext, SqliteStorage, State, StatesGroup
from spikard.bots.keyboard import InlineKeyboardBuilder
from spikard.bots.testing import BotTester, FakeVKTeams
from spikard.bots.types import CallbackQuery, LeftChatMembersEvent, Message, NewChatMembersEvent


class Form(StatesGroup):
    name = State()


def echo() -> Dispatcher:
    dp = Dispatcher()

    @dp.message(Command("start"))
    async def start(message: Message) -> str:
        await message.answer("Hello")
        return "started"

    @dp.message(F.text)
    async def say(message: Message) -> None:
        await message.reply(message.text)

    return dp


async def test_somebody_writes_and_sees_the_answer() -> None:
    t = BotTester(echo())
    ann, bob = t.user("ann@corp"), t.user("bob@corp")
    assert await ann.send("/start") == "started"
    assert ann.last.text == "Hello"
    await bob.send("tea")
    assert bob.texts == ["tea"]
    assert ann.texts == ["Hello"]
    assert [call.method for call in t.calls] == ["messages/sendText", "messages/sendText"]
    assert await ann.send_file(b"x") is UNHANDLED
    assert t.user("ann@corp") is ann


async def test_states_are_seen_and_set() -> None:
    dp = Dispatcher()

    @dp.message(Command("form"))
    async def begin(message: Message, state: FSMContext) -> None:
        await state.set_state(Form.name)

    @dp.message(Form.name)
    async def name(message: Message, state: FSMContext) -> None:
        await state.update_data(name=message.text)
        await state.set_state(None)

    t = BotTester(dp)
    ann = t.user("ann@corp")
    team = t.group("Team", members=[ann])
    await ann.send("/form")
    assert await t.state(ann).get_state() == Form.name
    await ann.send("Ann")
    assert await t.state(ann).get_data() == {"name": "Ann"}
    await t.state(ann, team).set_state(Form.name)
    await ann.send("Ann of the team", chat=team)
    assert await t.state("ann@corp", team).get_data() == {"name": "Ann of the team"}


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_sessions_end_when_time_passes(kind: str, tmp_path: Any) -> None:
    storage = SqliteStorage(tmp_path / "bot.db") if kind == "sqlite" else None
    dp = Dispatcher(storage, session_timeout=600)
    expired: list[str] = []
    dp.on_session_expired(lambda key, record: expired.append(record.state))

    @dp.message(Form.name)
    async def name(message: Message) -> str:
        return "within"

    @dp.message()
    async def other(message: Message, state: FSMContext) -> str:
        await state.set_state(Form.name)
        return "outside"

    async with BotTester(dp) as t:
        ann = t.user("ann@corp")
        await t.clock.advance(10_000)
        assert await ann.send("one") == "outside"
        await t.clock.advance(599)
        assert await ann.send("two") == "within"
        await t.clock.advance(601)
        assert await ann.send("three") == "outside"
        t.clock.advance(601)  # nothing has to be waited for
        assert await ann.send("four") == "outside"
    assert expired == ["Form:name", "Form:name"]


async def test_buttons_are_pressed_by_what_stands_on_them() -> None:
    dp = Dispatcher()

    @dp.message()
    async def ask(message: Message) -> None:
        keyboard = InlineKeyboardBuilder()
        keyboard.button("Yes", "yes").button("No", "no").button("Site", url="https://x.example")
        keyboard.adjust(2, 1)
        await message.answer("Sure?", inline_keyboard_markup=keyboard)

    @dp.callback_query(F.callback_data == "yes")
    async def yes(query: CallbackQuery) -> None:
        await query.answer("Done", show_alert=True)
        await query.edit_text("It is so.")

    t = BotTester(dp)
    ann, bob = t.user("ann@corp"), t.user("bob@corp")
    await ann.send("?")
    assert ann.last.buttons == [["Yes", "No"], ["Site"]]
    assert await ann.click("no") is UNHANDLED
    assert await ann.click("Site") == "https://x.example"
    await ann.click("Yes")
    assert ann.last.text == "It is so."
    assert [(notice.text, notice.is_alert) for notice in ann.notices] == [("Done", True)]
    assert bob.notices == []
    with pytest.raises(LookupError, match="no button 'Yes'; there are: none"):
        await ann.click("Yes")
    with pytest.raises(LookupError, match="has not written to bob@corp"):
        _ = bob.last


async def test_files_groups_edits_and_leaving() -> None:
    dp, seen = Dispatcher(), []

    @dp.message(F.files)
    async def file(message: Message) -> None:
        seen.append((message.files[0].type, await message.download(), message.caption))

    @dp.message()
    async def text(message: Message) -> None:
        await message.answer(f"in {message.chat.title}")

    @dp.edited_message()
    async def edited(message: Message) -> None:
        seen.append(("edited", message.text))

    @dp.deleted_message()
    async def deleted(message: Message) -> None:
        seen.append(("deleted", message.msg_id))

    @dp.new_chat_members()
    async def came(event: NewChatMembersEvent) -> None:
        seen.append(("came", event.new_members[0].user_id, event.added_by and event.added_by.user_id))

    @dp.left_chat_members()
    async def left(event: LeftChatMembersEvent) -> None:
        seen.append(("left", event.left_members[0].user_id))

    t = BotTester(dp)
    ann, bob = t.user("ann@corp", first_name="Ann"), t.user("bob@corp")
    team = t.group("Team", members=[ann])
    await ann.send_file(b"PNG", "tea.png", caption="Look")
    await ann.send("hello", chat=team)
    assert team.last.text == ann.last.text == "in Team"
    await ann.edit("hello all")
    await ann.delete()
    await team.add(bob, by=ann)
    assert bob.last.text == "in Team"
    await team.remove(bob)
    assert bob.messages == []
    assert seen[0] == ("image", b"PNG", "Look")
    assert seen[1] == ("edited", "hello all")
    assert seen[2][0] == "deleted"
    assert seen[3:] == [("came", "bob@corp", "ann@corp"), ("left", "bob@corp")]


async def test_errors_come_out_where_the_message_was_sent() -> None:
    t = BotTester(echo())
    ann = t.user("ann@corp")
    t.fail_next("messages/sendText", 500)
    with pytest.raises(ServerError):
        await ann.send("x")
    t.fail_next("messages/sendText", {"ok": False, "description": "Chat is frozen"})
    with pytest.raises(APIError, match="frozen"):
        await ann.send("x")
    t.fail_next("messages/sendText", "drop")
    with pytest.raises(NetworkError):
        await ann.send("x")
    assert ann.messages == []
    quiet = BotTester(echo(), raise_errors=False)
    quiet.fail_next("messages/sendText", 500)
    assert await quiet.user("ann@corp").send("x") is UNHANDLED


async def test_calls_are_repeated_if_wanted() -> None:
    t = BotTester(echo(), retry=Retry(attempts=3, base=0.0))
    t.fail_next("messages/sendText", "lost")
    await t.user("ann@corp").send("x")
    assert t.user("ann@corp").texts == ["x"]
    assert t.platform.duplicates == 1


async def test_a_slow_server_is_not_waited_for_too_long() -> None:
    t = BotTester(echo(), timeout=0.01)
    t.fail_next("messages/sendText", 5.0)
    with pytest.raises(NetworkError, match="longer than the bot waits"):
        await t.user("ann@corp").send("x")


async def test_there_is_no_network() -> None:
    dp = Dispatcher()

    @dp.message()
    async def outside(message: Message, bot: Bot) -> None:
        bot.api_url = "https://elsewhere.example/bot/v1"
        await message.answer("x")

    with pytest.raises(NetworkError, match=r"elsewhere\.example is not the fake server"):
        await BotTester(dp).user("ann@corp").send("x")


async def test_what_runs_at_the_start_and_at_the_end() -> None:
    dp, seen = echo(), []
    dp.on_startup(lambda bot, answer: seen.append((bot.me.nick, answer)))
    dp.on_shutdown(lambda dispatcher: seen.append(dispatcher is dp))
    async with BotTester(dp, data={"answer": 42}) as t:
        await t.user("ann@corp").send("x")
        await t.start()
    await t.stop()
    assert seen == [("testbot", 42), True]
    with pytest.raises(RuntimeError, match="has ended"):
        await t.user("ann@corp").send("x")


async def test_people_act_at_the_same_time_and_each_in_order() -> None:
    dp, seen = Dispatcher(), []
    gate = asyncio.Event()

    @dp.message(F.text == "wait")
    async def wait(message: Message) -> None:
        await gate.wait()
        seen.append("waited")

    @dp.message()
    async def other(message: Message) -> None:
        seen.append(message.text)
        gate.set()

    t = BotTester(dp)
    ann, bob = t.user("ann@corp"), t.user("bob@corp")
    await asyncio.gather(ann.send("wait"), ann.send("later"), bob.send("now"))
    assert seen == ["now", "waited", "later"]


async def test_middlewares_of_updates_and_of_handlers_run() -> None:
    dp, seen = echo(), []

    class Noting(BaseMiddleware):
        async def __call__(self, handler: Any, event: Any, data: dict[str, Any]) -> Any:
            seen.append(type(event).__name__)
            return await handler(event, data)

    dp.update.outer_middleware(Noting())
    dp.message.middleware(Noting())
    await BotTester(dp).user("ann@corp").send("x")
    assert seen == ["Update", "Message"]


async def test_people_talk_with_a_program_that_polls(server: FakeVKTeams) -> None:
    dp = echo()
    ann = server.user("ann@corp.example", first_name="Ann")
    polling = asyncio.create_task(dp.start_polling(server.bot(), handle_signals=False))
    try:
        await ann.send("/start")
        await server.until(lambda: ann.texts == ["Hello"])
        with pytest.raises(TimeoutError):
            await server.until(lambda: False, seconds=0)
    finally:
        await dp.stop()
        await polling


async def test_both_transports_give_the_same(server: FakeVKTeams) -> None:
    """What a bot asks and gets over sockets is what it asks and gets in one process."""

    async def conversation(bot: Bot, platform: Any) -> list[Any]:
        dp = echo()
        platform.push_message("/start")
        platform.push_sample("new_message_group_mention")
        found: list[Any] = [await dp.feed_update(bot, update) for update in await bot.get_events(poll_time=0)]
        sent = await bot.send_file("ann@corp.example", file=b"%PDF", caption="Übung")
        found.append(await bot.download_file(str(sent.file_id)))
        calls = [(call.method, call.params, call.file and call.file.content, call.verb) for call in platform.calls]
        for _, params, _, _ in calls:
            params.pop("requestId", None)
        return [found, calls, [(message.chat_id, message.text, message.caption) for message in platform.sent]]

    t = BotTester(Dispatcher())
    assert await conversation(server.bot(), server) == await conversation(t.bot, t.platform)
