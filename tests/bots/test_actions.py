"""Showing that the bot is at work."""

import asyncio
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from spikard.bots import Dispatcher, F, run_sync, sync_to_async
from spikard.bots.actions import ChatActionSender, typing_action
from spikard.bots.enums import ChatAction
from spikard.bots.testing import BotTester, FakeVKTeams
from spikard.bots.types import Chat, Message


class Watching:
    """A bot that notes what it shows, and tells when it has shown enough."""

    def __init__(self, enough: int = 1, fault: Exception | None = None) -> None:
        self.shown: list[tuple[str, str]] = []
        self.done = asyncio.Event()
        self._enough = enough
        self._fault = fault

    async def send_actions(self, chat_id: str, action: str) -> None:
        assert type(action) is str
        self.shown.append((chat_id, action))
        if len(self.shown) >= self._enough:
            self.done.set()
        if self._fault is not None:
            raise self._fault


async def test_the_action_is_shown_again_and_again_and_then_no_more() -> None:
    bot = Watching(enough=3)
    async with ChatActionSender(bot=bot, chat_id="c", interval=0.001):
        await bot.done.wait()
    count = len(bot.shown)
    assert set(bot.shown) == {("c", "typing")}
    await asyncio.sleep(0.01)
    assert len(bot.shown) == count


async def test_kinds_of_actions() -> None:
    bot = Watching()
    async with ChatActionSender.looking(bot, "c"):
        pass
    sender = ChatActionSender.typing(bot, "d")
    for _ in range(2):
        async with sender:
            with pytest.raises(RuntimeError, match="in use"):
                await sender.__aenter__()
    assert bot.shown == [("c", "looking"), ("d", "typing"), ("d", "typing")]


async def test_failures_are_logged_and_end_nothing(caplog: pytest.LogCaptureFixture) -> None:
    bot = Watching(enough=2, fault=OSError("gone"))
    async with ChatActionSender(bot, "c", interval=0.001):
        await bot.done.wait()
    assert "gone" in caplog.text


async def test_decorated_handlers() -> None:
    bot = Watching()
    event = SimpleNamespace(chat=SimpleNamespace(chat_id="c"), bot=bot)

    @typing_action
    async def plain(event: Any, state: str = "") -> str:
        return state

    @typing_action(action=ChatAction.LOOKING, interval=0.5)
    async def other(event: Any) -> None:
        raise ValueError("boom")

    assert await plain(event, state="s") == "s"
    with pytest.raises(ValueError, match="boom"):
        await other(event)
    assert bot.shown == [("c", "typing"), ("c", "looking")]
    assert await plain(SimpleNamespace(bot=bot), state="no chat") == "no chat"
    assert await plain(SimpleNamespace(chat=event.chat), state="no bot") == "no bot"
    assert await plain(Message(chat=Chat(chat_id="c")), state="not bound") == "not bound"
    assert len(bot.shown) == 2
    assert plain.__name__ == "plain"


async def test_messages_type(server: FakeVKTeams) -> None:
    bot = server.bot()
    shown = asyncio.Event()

    @bot.use
    async def watch(call: Any, bot: Any, method: str, params: dict[str, Any]) -> Any:
        answer = await call(bot, method, params)
        shown.set()
        return answer

    message = Message(chat=Chat(chat_id="c")).bound(bot)
    for action in (None, ChatAction.LOOKING):
        shown.clear()
        async with message.typing(action):
            await shown.wait()
    assert server.api.chat("c").actions == ["typing", "looking"]


async def test_a_flag_shows_that_the_bot_types_while_a_handler_runs() -> None:
    dp, shown = Dispatcher(), threading.Event()

    @dp.message(F.text == "plain", flags={"typing": True})
    def plain(message: Message) -> bool:
        return shown.wait(20)

    @dp.message(F.text == "async", flags={"typing": True})
    async def waits(message: Message) -> bool:
        return await asyncio.to_thread(shown.wait, 20)

    @dp.message()
    async def quiet(message: Message) -> bool:
        return shown.is_set()

    t = BotTester(dp)

    @t.bot.use
    async def watch(call: Any, bot: Any, method: str, params: dict[str, Any]) -> Any:
        answer = await call(bot, method, params)
        if method == "chats/sendActions":
            shown.set()
        return answer

    found = []
    for text in ("plain", "async", "quiet"):
        shown.clear()
        found.append(await t.user("ann@corp").send(text))
    assert found == [True, True, False]
    assert t.platform.api.chat("ann@corp").actions == ["typing", "typing"]


async def test_blocking_functions_run_in_threads() -> None:
    here = threading.get_ident()
    assert await run_sync(threading.get_ident) != here

    @sync_to_async
    def add(a: int, b: int = 0) -> int:
        return a + b

    assert await add(1, b=2) == 3
