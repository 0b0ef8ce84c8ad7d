"""Sessions that are written down and happen again."""

import json
from pathlib import Path
from typing import Any

import pytest

from spikard.bots import Bot, Dispatcher, F
from spikard.bots.errors import APIError, NotFound
from spikard.bots.testing import BotTester, Difference, FakeVKTeams, record, replay
from spikard.bots.testing.fake_server import TOKEN
from spikard.bots.types import Message


def dispatcher(prefix: str = "you said") -> Dispatcher:
    dp = Dispatcher()

    @dp.message(F.text)
    async def echo(message: Message, bot: Bot) -> None:
        sent = await message.answer(f"{prefix} {message.text}")
        await sent.edit_text(f"{prefix}: {message.text}")
        try:
            await bot.get_chat_info("nobody@corp.example")
        except NotFound as error:
            await message.answer(error.message)

    return dp


async def recorded(server: FakeVKTeams, file: Path) -> None:
    bot = server.bot()
    server.push_message("tea")
    with record(bot, file):
        await bot.get_me()
        dp = dispatcher()
        for update in await bot.get_events(poll_time=0):
            await dp.feed_update(bot, update, raise_errors=True)
        await bot.send_file("ann@corp.example", file=b"x")
    await bot.get_me()


async def test_a_session_happens_again_without_a_server(server: FakeVKTeams, tmp_path: Path) -> None:
    file = tmp_path / "session.jsonl"
    await recorded(server, file)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["method"] for line in lines] == [
        "self/get", "events/get", "messages/sendText", "messages/editText", "chats/getInfo", "messages/sendText",
        "messages/sendFile",
    ]  # fmt: skip
    session = replay(file)
    assert session.bot.id == server.token.rpartition(":")[2]
    dp = dispatcher()

    @dp.message()
    async def never(message: Message) -> None:
        raise AssertionError

    with pytest.raises(Difference, match=r"has not called[^\n]*:\n  messages/sendFile"):
        await session.run(dp)


async def test_no_line_holds_a_token(server: FakeVKTeams, tmp_path: Path) -> None:
    file = tmp_path / "session.jsonl"
    server.api.chat("c").about = "x"
    bot = server.bot()
    with record(bot, file):
        await bot.send_text("ann@corp.example", f"my token is {TOKEN}")
    assert TOKEN not in file.read_text()
    assert "my token is ***" in file.read_text()


async def test_another_answer_of_the_bot_is_a_difference(tmp_path: Path) -> None:
    file = tmp_path / "session.jsonl"
    t = BotTester(dispatcher())
    with record(t.bot, file):
        await t.user("ann@corp").send("tea")
    await replay(file).run(dispatcher())
    with pytest.raises(Difference, match=r"calls messages/sendText .*You wrote tea.*\nwhich is not.*\n.*you said tea"):
        await replay(file).run(dispatcher("You wrote"))


async def test_refusals_come_again(tmp_path: Path) -> None:
    file = tmp_path / "session.jsonl"
    t = BotTester(Dispatcher())
    t.fail_next("chats/getInfo", {"ok": False, "description": "Chat is frozen"})
    with record(t.bot, file), pytest.raises(APIError):
        await t.bot.get_chat_info("c")
    session = replay(file)
    with pytest.raises(APIError, match="frozen"):
        await session.bot.get_chat_info("c")
    with pytest.raises(Difference, match="there comes:\n  no more calls"):
        await session.bot.get_chat_info("c")


@pytest.mark.parametrize("text", ["{}", "nonsense", '{"method": 5}'])
def test_what_is_no_session_is_refused(text: str, tmp_path: Path) -> None:
    file: Any = tmp_path / "session.jsonl"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"session\.jsonl:1 is no line"):
        replay(file)
