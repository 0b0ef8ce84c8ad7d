"""Another platform: lines of a terminal. `#2` presses the second button of the last message."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from spikard.bots._events import Batch
from spikard.bots.types import Update


@dataclass(frozen=True)
class Terminal:
    """Where everything happens, and who writes there."""

    chat_id: str = "terminal"
    user_id: str = "me"


@dataclass
class Line:
    """Something that was written."""

    bot: "ConsoleBot"
    text: str | None
    chat: Terminal = Terminal()
    from_user: Terminal = Terminal()

    @property
    def content(self) -> str | None:
        return self.text

    async def answer(self, text: str, inline_keyboard_markup: Any = None, **options: Any) -> None:
        self.bot.show(text, [button for row in inline_keyboard_markup or () for button in row])


@dataclass
class Press(Line):
    """A button that was pressed."""

    number: int = 1
    is_answered: bool = True

    @property
    def callback_data(self) -> str:
        return str(self.bot.buttons[self.number - 1]["callbackData"])

    @property
    def message(self) -> Line:
        return Line(self.bot, None)


class ConsolePlatform:
    """Lines."""

    name = "console"
    observers: Mapping[str, str] = {"line": "message", "press": "callback_query"}
    text_limit: int | None = None
    text_modes: tuple[str, ...] = ()

    def decode(self, update: Update) -> Line | None:
        bot: Any = update.bot
        if update.type == "press":
            return Press(bot, None, number=update.payload["number"])
        return Line(bot, update.payload["text"]) if update.type == "line" else None


class ConsoleBot:
    """Reads lines, and writes them."""

    id = "console"
    last_event_id = 0
    poll_time = 60

    def __init__(self, lines: "asyncio.Queue[str]", write: Callable[[str], None]) -> None:
        self.platform = ConsolePlatform()
        self.buttons: list[dict[str, Any]] = []
        self._lines, self._write, self._numbers = lines, write, count(1)

    async def get_me(self) -> None: ...

    async def close(self) -> None: ...

    async def poll(self, poll_time: int | None = None, **options: Any) -> Batch:
        if poll_time == 0:
            return Batch([], [])
        line = await self._lines.get()
        self.last_event_id = next(self._numbers)
        kind = "press" if line.startswith("#") else "line"
        payload = {"number": int(line[1:])} if kind == "press" else {"text": line}
        return Batch([Update(event_id=self.last_event_id, type=kind, payload=payload)], [])

    def show(self, text: str, buttons: list[dict[str, Any]]) -> None:
        self.buttons = buttons or self.buttons
        self._write(" ".join([text, *(f"[{button['text']}]" for button in buttons)]))
