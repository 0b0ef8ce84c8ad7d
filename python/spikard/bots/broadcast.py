"""One text to many chats."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from spikard.bots.errors import BotError
from spikard.bots.limits import BULK, current_priority
from spikard.bots.request_ids import fixed_id

if TYPE_CHECKING:
    from spikard.bots.bot import Bot


class DeliveryLog(Protocol):
    """What remembers which chats of a job have their message."""

    async def is_delivered(self, job: str, chat_id: str) -> bool:
        """Whether the chat has it."""

    async def mark_delivered(self, job: str, chat_id: str) -> None:
        """The chat has it."""


class MemoryDeliveryLog:
    """Remembers as long as the program runs."""

    def __init__(self) -> None:
        self._delivered: set[tuple[str, str]] = set()

    async def is_delivered(self, job: str, chat_id: str) -> bool:
        """Whether the chat has it."""
        return (job, chat_id) in self._delivered

    async def mark_delivered(self, job: str, chat_id: str) -> None:
        """The chat has it."""
        self._delivered.add((job, chat_id))


@dataclass(slots=True)
class BroadcastResult:
    """What became of a broadcast.

    Attributes:
        sent: Ids of messages by chat.
        failed: Errors by chat.
        skipped: Chats that had their message already.
    """

    sent: dict[str, str | None] = field(default_factory=dict)
    failed: dict[str, Exception] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)


async def broadcast(
    bot: "Bot",
    chat_ids: Iterable[str],
    text: Any,
    concurrency: int,
    on_error: Literal["collect", "raise"],
    job: str | None,
    log: DeliveryLog | None,
) -> BroadcastResult:
    """Sends to each chat once. See `Bot.broadcast`."""
    if concurrency < 1:
        raise ValueError(f"concurrency is at least 1, not {concurrency}")
    if on_error not in ("collect", "raise"):
        raise ValueError(f"on_error is collect or raise, not {on_error!r}")
    result = BroadcastResult()
    todo = iter(dict.fromkeys(chat_ids))

    async def work() -> None:
        # What waits for a broadcast is behind all answers.
        current_priority.set(BULK)
        for chat_id in todo:
            if job is not None and log is not None and await log.is_delivered(job, chat_id):
                result.skipped.append(chat_id)
                continue
            options = _options(text, chat_id)
            if job is not None:
                options.setdefault("request_id", fixed_id(bot.id, job, chat_id))
            try:
                answer = await bot.send_text(chat_id, **options)
            except BotError as fault:
                if on_error == "raise":
                    raise
                result.failed[chat_id] = fault
                continue
            result.sent[chat_id] = answer.msg_id
            if job is not None and log is not None:
                await log.mark_delivered(job, chat_id)

    workers = [asyncio.create_task(work(), name=f"broadcast {number}") for number in range(concurrency)]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
    return result


def _options(text: Any | Callable[[str], Mapping[str, Any] | Any], chat_id: str) -> dict[str, Any]:
    if callable(text):
        text = text(chat_id)
    return dict(text) if isinstance(text, Mapping) else {"text": text}


__all__ = ["BroadcastResult", "DeliveryLog", "MemoryDeliveryLog", "broadcast"]
