"""How often somebody may."""

from typing import Any, Literal

from spikard._spikard import KeyedBuckets
from spikard.bots.filters.base import BuiltinFilter, Verdict

Whose = Literal["user", "chat"]


def whose(event: Any, key: Whose) -> str:
    """The id that an event counts for."""
    if key == "user":
        return getattr(getattr(event, "from_user", None), "user_id", "") or ""
    return getattr(getattr(event, "chat", None), "chat_id", "") or ""


class Throttled(BuiltinFilter):
    """Passes while the user (or the chat) has a turn left.

    Args:
        rate: Turns a second that come back.
        burst: How many are there at most.
        key: Whose turns are counted.
    """

    is_pure = False

    def __init__(self, rate: float, burst: float = 1, key: Whose = "user") -> None:
        if key not in ("user", "chat"):
            raise ValueError(f"turns are counted by user or by chat, not by {key!r}")
        self._buckets = KeyedBuckets(rate, burst)
        self._key: Whose = key

    def check(self, event: Any, data: dict[str, Any]) -> Verdict:
        """Takes a turn if there is one."""
        del data
        return self._buckets.take(whose(event, self._key)) <= 0


__all__ = ["Throttled", "Whose", "whose"]
