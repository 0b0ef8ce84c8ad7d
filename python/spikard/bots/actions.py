"""Showing that the bot is at work."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import wraps
from types import TracebackType
from typing import Any, ParamSpec, Protocol, Self, TypeVar, overload

from spikard.bots.enums import ChatAction

logger = logging.getLogger("spikard.bots.actions")

P = ParamSpec("P")
T = TypeVar("T")


class Sender(Protocol):
    """What sends actions: a bot."""

    @property
    def send_actions(self) -> Callable[[str, str], Awaitable[Any]]:
        """Shows an action in a chat."""


class ChatActionSender:
    """Shows an action in a chat as long as an `async with` lasts; the platform forgets it after about five seconds.

    What goes wrong with it is logged and never ends the work that it decorates.
    """

    def __init__(self, bot: Any, chat_id: str, *, action: str = ChatAction.TYPING, interval: float = 3.0) -> None:
        self.bot: Sender = bot
        self.chat_id = chat_id
        self.action = str(action)
        self.interval = interval
        self._task: asyncio.Task[None] | None = None

    @classmethod
    def typing(cls, bot: Any, chat_id: str, *, interval: float = 3.0) -> Self:
        """Shows that the bot is typing."""
        return cls(bot, chat_id, action=ChatAction.TYPING, interval=interval)

    @classmethod
    def looking(cls, bot: Any, chat_id: str, *, interval: float = 3.0) -> Self:
        """Shows that the bot is looking."""
        return cls(bot, chat_id, action=ChatAction.LOOKING, interval=interval)

    async def __aenter__(self) -> Self:
        if self._task is not None:
            raise RuntimeError("This ChatActionSender is in use already")
        self._task = asyncio.create_task(self._run(), name=f"{self.action} in {self.chat_id}")
        # So that the action shows before the work begins that may not let anybody else run.
        await asyncio.sleep(0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _run(self) -> None:
        while True:
            try:
                await self.bot.send_actions(self.chat_id, self.action)
            except Exception as fault:  # noqa: BLE001 - whatever it is, the work goes on
                logger.warning("The action %s was not shown: %s", self.action, fault)
            await asyncio.sleep(self.interval)


@overload
def typing_action(handler: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]: ...
@overload
def typing_action(
    *, action: str = ChatAction.TYPING, interval: float = 3.0
) -> Callable[[Callable[P, Awaitable[T]]], Callable[P, Awaitable[T]]]: ...
def typing_action(
    handler: Callable[..., Awaitable[Any]] | None = None,
    *,
    action: str = ChatAction.TYPING,
    interval: float = 3.0,
) -> Any:
    """Shows an action in the event's chat while a handler runs; events without chat or bot are handled without."""

    def decorate(wrapped: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        @wraps(wrapped)
        async def run(*args: Any, **kwargs: Any) -> Any:
            place = _place(args[0] if args else next(iter(kwargs.values()), None))
            if place is None:
                return await wrapped(*args, **kwargs)
            async with ChatActionSender(*place, action=action, interval=interval):
                return await wrapped(*args, **kwargs)

        return run

    return decorate if handler is None else decorate(handler)


def _place(event: Any) -> tuple[Any, str] | None:
    """The bot and the chat of an event, if it has both."""
    try:
        bot = getattr(event, "bot", None)
    except RuntimeError:  # made by hand
        bot = None
    chat_id = getattr(getattr(event, "chat", None), "chat_id", None)
    return (bot, chat_id) if bot is not None and chat_id else None


__all__ = ["ChatActionSender", "typing_action"]
