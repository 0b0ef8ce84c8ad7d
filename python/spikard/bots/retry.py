"""When a call is repeated, and after how long."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

# Repeating these changes nothing: they read, they set what is set already, or they delete what is gone.
_REPEATABLE = frozenset(
    """
    self/get events/get files/getInfo
    chats/getInfo chats/getAdmins chats/getMembers chats/getBlockedUsers chats/getPendingUsers
    chats/setTitle chats/setAbout chats/setRules chats/avatar/set chats/sendActions
    chats/pinMessage chats/unpinMessage chats/blockUser chats/unblockUser
    messages/editText messages/deleteMessages messages/answerCallbackQuery
    threads/subscribers/get threads/autosubscribe
    """.split()
)
# The server drops a second one with the same id.
_IDEMPOTENT = frozenset({"messages/sendText", "messages/sendFile", "messages/sendVoice"})

REPEATED_STATUSES = frozenset({500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a call is tried and how long to wait between.

    Attributes:
        attempts: How often in all.
        base: Seconds before the second attempt.
        factor: By which each wait is longer than the one before.
        max_delay: The longest wait that is not the server's wish, in seconds.
        jitter: By which part a wait varies, so that clients do not come back in step.
        budget: How long all waits of one call may be together, in seconds.
    """

    attempts: int = 4
    base: float = 0.5
    factor: float = 2.0
    max_delay: float = 30.0
    jitter: float = 0.2
    budget: float = 60.0

    def __post_init__(self) -> None:
        if self.attempts < 1 or self.base < 0 or self.factor < 1 or self.max_delay < 0 or self.budget < 0:
            raise ValueError(f"Attempts and factor are at least 1, times at least 0: {self}")
        if not 0 <= self.jitter <= 1:
            raise ValueError(f"jitter is a part, from 0 to 1: {self}")

    def delay(self, attempt: int) -> float:
        """Seconds to wait after so many attempts."""
        # Beyond a hundred doublings the longest wait is reached whatever the base.
        plain = min(self.base * self.factor ** min(attempt - 1, 100), self.max_delay)
        return plain * random.uniform(1 - self.jitter, 1 + self.jitter)  # noqa: S311 - no secret


ONCE = Retry(attempts=1)


def as_retry(value: Retry | int | None) -> Retry:
    """A number is that of repetitions; None and 0 are one attempt."""
    if isinstance(value, Retry):
        return value
    return Retry(attempts=1 + (value or 0))


def is_repeatable(method: str, params: Mapping[str, Any]) -> bool:
    """Whether a call that may have reached the server can be sent again."""
    return method in _REPEATABLE or (method in _IDEMPOTENT and bool(params.get("requestId")))


def read_retry_after(value: str | None) -> float | None:
    """Seconds from a `Retry-After` header, which holds them or a date; None if it holds neither."""
    if not value:
        return None
    try:
        return max(float(value), 0.0) if value.strip().isascii() else None
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max((moment - datetime.now(UTC)).total_seconds(), 0.0)


__all__ = ["ONCE", "REPEATED_STATUSES", "Retry", "as_retry", "is_repeatable", "read_retry_after"]
