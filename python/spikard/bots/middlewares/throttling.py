"""How often somebody is listened to."""

from collections.abc import Callable
from inspect import isawaitable
from typing import Any

from spikard._spikard import KeyedBuckets
from spikard.bots.arguments import signature_of
from spikard.bots.filters.throttled import Whose, whose
from spikard.bots.injection import arguments_for
from spikard.bots.middleware import BaseMiddleware, Handler


class ThrottlingMiddleware(BaseMiddleware):
    """Stops events of those who have no turn left; they count as handled.

    As an outer middleware everything counts, as an inner one what a handler takes. Memory is bounded: those who were
    silent longest are forgotten first.

    Args:
        rate: Turns a second that come back.
        burst: How many are there at most.
        key: Whose turns are counted.
        on_limit: Called with an event that was stopped, and with what it names, as handlers are.
    """

    injects = ()

    def __init__(
        self, rate: float, burst: float = 1, key: Whose = "user", on_limit: Callable[..., Any] | None = None
    ) -> None:
        if key not in ("user", "chat"):
            raise ValueError(f"turns are counted by user or by chat, not by {key!r}")
        self._buckets = KeyedBuckets(rate, burst)
        self._key: Whose = key
        self._on_limit = on_limit
        self._signature = None if on_limit is None else signature_of(on_limit)

    async def __call__(self, handler: Handler, event: Any, data: dict[str, Any]) -> Any:
        """Goes on if there is a turn."""
        if self._buckets.take(whose(event, self._key)) <= 0:
            return await handler(event, data)
        if self._on_limit is None or self._signature is None:
            return None
        arguments = await arguments_for(self._signature, data)
        found = self._on_limit(*((event,) if self._signature.takes_event else ()), **arguments)
        return await found if isawaitable(found) else found


__all__ = ["ThrottlingMiddleware"]
