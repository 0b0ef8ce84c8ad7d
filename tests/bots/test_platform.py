"""Routers, states, services, filters and dialogues work for a platform that they know nothing of."""

import asyncio

from spikard.bots import Bot, Dialogue, Dispatcher, F
from spikard.bots.filters import Command
from spikard.bots.fsm import FSMContext, State
from spikard.bots.platform import VK_TEAMS, Platform, platform_of
from spikard.di import Container, Inject
from tests.bots.console_platform import ConsoleBot, ConsolePlatform, Line

TEA = """
name: tea
initial: kind
states:
  kind: {bot: {prompt: "Which tea?", save_as: kind}}
  sure: {bot: {prompt: "{kind}?", keyboard: [[{text: "Yes", trigger: order}, {text: "No", trigger: again}]]}}
  done: {type: terminal, bot: {prompt: "{kind} is coming"}}
transitions:
  - {trigger: answered, source: kind, dest: sure}
  - {trigger: order, source: sure, dest: done}
  - {trigger: again, source: sure, dest: kind}
"""


class Counter:
    lines = 0


async def test_a_terminal_is_a_platform() -> None:
    lines: asyncio.Queue[str] = asyncio.Queue()
    written: list[str] = []
    bot = ConsoleBot(lines, written.append)
    dp = Dispatcher(container=Container().add_singleton(Counter))
    ready = State("ready")

    @dp.message.outer_middleware
    async def count(handler, event, data, counter: Inject[Counter]):  # type: ignore[no-untyped-def]
        counter.lines += 1
        return await handler(event, data)

    @dp.message(Command("ready"))
    async def begin(line: Line, state: FSMContext) -> None:
        await state.set_state(ready)

    @dp.message(ready, F.text == "how many")
    async def how_many(line: Line, counter: Counter, state: FSMContext) -> None:
        await state.clear()
        await line.answer(f"{counter.lines} lines")

    @dp.message(F.text == "bye")
    async def bye(line: Line) -> None:
        await dp.stop()

    dp.include_dialogue(Dialogue.load(TEA), start=Command("tea"))
    for line in ("/ready", "how many", "/tea", "sencha", "#2", "assam", "#1", "how many", "bye"):
        lines.put_nowait(line)
    await asyncio.wait_for(dp.start_polling(bot, handle_signals=False), 20)  # type: ignore[arg-type]
    assert written == [
        *("2 lines", "Which tea?", "sencha? [Yes] [No]", "Which tea?", "assam? [Yes] [No]", "assam is coming"),
    ]


def test_bots_name_their_platform() -> None:
    assert platform_of(Bot("001.1:2")) is VK_TEAMS
    assert isinstance(VK_TEAMS, Platform)
    assert isinstance(ConsolePlatform(), Platform)
