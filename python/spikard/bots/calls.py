"""One call of the API: middlewares, limits, attempts."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import msgspec

from spikard.bots.errors import APIError, BotError, NetworkError, RateLimited, ServerError, TLSError
from spikard.bots.limits import NORMAL, URGENT, current_priority
from spikard.bots.request_ids import current_run
from spikard.bots.retry import ONCE, REPEATED_STATUSES, Retry, is_repeatable
from spikard.bots.session import is_read_timeout, read_answer, was_sent
from spikard.bots.uploads import Upload
from spikard.bots.wire import encode_params

if TYPE_CHECKING:
    from spikard.bots.bot import Bot

logger = logging.getLogger("spikard.bots")

Call = Callable[["Bot", str, dict[str, Any]], Awaitable[dict[str, Any]]]
ClientMiddleware = Callable[[Call, "Bot", str, dict[str, Any]], Awaitable[dict[str, Any]]]

POLL = "events/get"
_SENDS = frozenset("messages/sendText messages/sendFile messages/sendVoice messages/sendTextWithDeeplink".split())
_METHOD_NOT_ALLOWED = 405


class Work(msgspec.Struct):
    """What goes with a call beside its parameters."""

    files: Mapping[str, Any] | None
    retry: Retry
    timeout: float
    priority: int | None


async def perform(bot: "Bot", method: str, params: dict[str, Any], work: Work) -> dict[str, Any]:
    """Makes a call: tries until there is an answer or no more tries."""
    pace = bot.chat_pace
    ordered = pace is not None and method in _SENDS
    async with pace.turn(str(params.get("chatId"))) if pace is not None and ordered else nullcontext():
        return await _tries(bot, method, params, work)


async def _tries(bot: "Bot", method: str, params: dict[str, Any], work: Work) -> dict[str, Any]:
    uploads = {name: Upload(file) for name, file in (work.files or {}).items()}
    waited = 0.0
    attempt = 0
    try:
        while True:
            attempt += 1
            if method != POLL:
                await bot.limiter.acquire(1, _priority(method, work.priority))
            try:
                return await _try(bot, method, params, uploads, work)
            except (APIError, NetworkError, ServerError) as fault:
                wait = _wait(method, params, fault, work.retry, attempt)
                if isinstance(fault, RateLimited):
                    await bot.limiter.pause(wait if wait is not None else fault.retry_after or 0.0)
                if wait is None or waited + wait > work.retry.budget:
                    raise
                waited += wait
                logger.warning("%s: attempt %d failed, the next in %.1f s: %s", method, attempt, wait, _reason(fault))
                await asyncio.sleep(wait)
    finally:
        for upload in uploads.values():
            upload.close()


async def _try(
    bot: "Bot", method: str, params: dict[str, Any], uploads: Mapping[str, Upload], work: Work
) -> dict[str, Any]:
    fields = encode_params(params.get("token") or bot.token, {k: v for k, v in params.items() if k != "token"})
    as_get = method in bot.methods_by_get and not uploads
    opened = {name: await upload.open() for name, upload in uploads.items()}
    try:
        answer = await bot.session.post(
            f"{bot.api_url}/{method}",
            method,
            fields,
            opened or None,
            as_get=as_get,
            is_poll=method == POLL,
            read=work.timeout,
        )
    finally:
        for upload in uploads.values():
            upload.release()
    if answer.status_code == _METHOD_NOT_ALLOWED and not as_get and not uploads:
        bot.methods_by_get.add(method)
        return await _try(bot, method, params, uploads, work)
    return read_answer(method, answer)


def _wait(method: str, params: Mapping[str, Any], fault: BotError, retry: Retry, attempt: int) -> float | None:
    """Seconds until the next attempt; None if there is none."""
    if attempt >= retry.attempts or isinstance(fault, TLSError):
        return None
    backoff = retry.delay(attempt)
    if isinstance(fault, RateLimited):
        return max(backoff, fault.retry_after) if fault.retry_after is not None else backoff
    if isinstance(fault, NetworkError) and not was_sent(fault):
        return backoff
    return backoff if _is_passing(method, fault) and is_repeatable(method, params) else None


def _is_passing(method: str, fault: BotError) -> bool:
    """Whether a fault may be gone the next time."""
    if method == POLL and is_cut(fault):
        return False
    if isinstance(fault, ServerError):
        return fault.status in REPEATED_STATUSES
    if isinstance(fault, APIError):
        return fault.message.startswith("Server error")
    return True


def is_cut(fault: BaseException) -> bool:
    """Whether a poll just took longer than something on the way allows, which is no fault."""
    return is_read_timeout(fault) or (isinstance(fault, ServerError) and fault.status in (404, 504))


def _priority(method: str, priority: int | None) -> int:
    """Whoever waits for an answer goes first."""
    if priority is None:
        priority = current_priority.get()
    if priority == NORMAL and (method == "messages/answerCallbackQuery" or current_run.get() is not None):
        return URGENT
    return priority


def _reason(fault: BotError) -> str:
    if isinstance(fault, RateLimited):
        return "429"
    return f"HTTP {fault.status}" if isinstance(fault, ServerError) else type(fault.__cause__ or fault).__name__


__all__ = ["ONCE", "POLL", "Call", "ClientMiddleware", "Work", "is_cut", "perform"]
