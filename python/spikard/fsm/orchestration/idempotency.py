"""Events that come twice."""

import threading
import time
from collections import OrderedDict
from typing import Any, Protocol, runtime_checkable

from spikard.fsm.errors import EventInProgressError

LEAST_RECENT_KEPT = 10_000
DAY = 86_400.0
# For how long whoever has begun with an event may be silent before it is taken for dead.
BEGUN_SECONDS = 300.0


@runtime_checkable
class IdempotencyStore(Protocol):
    """Remembers what was answered to a key. One that also has `forget(key)` is told of events that have failed."""

    def begin(self, key: str) -> dict[str, Any] | None:
        """What was answered before, or None: then it is to be done, and `finish` called.

        `EventInProgressError` while somebody else is doing it.
        """
        ...

    def finish(self, key: str, payload: dict[str, Any], ttl: float = DAY) -> None:
        """Remember an answer for a while, in seconds."""
        ...


class InMemoryIdempotencyStore:
    """Remembers the latest answers in this process's memory."""

    def __init__(self, max_size: int = LEAST_RECENT_KEPT, *, begun_seconds: float = BEGUN_SECONDS) -> None:
        self._max_size = max_size
        self._begun_seconds = begun_seconds
        # None stands for an event that is being processed.
        self._answers: OrderedDict[str, tuple[float, dict[str, Any] | None]] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, key: str) -> dict[str, Any] | None:
        """What was answered before, or None; `EventInProgressError` while somebody else is doing it."""
        with self._lock:
            found, now = self._answers.get(key), time.monotonic()
            if found is None or found[0] < now:
                self._keep(key, now + self._begun_seconds, None)
                return None
            if found[1] is None:
                raise EventInProgressError(key)
            self._answers.move_to_end(key)
            return found[1]

    def finish(self, key: str, payload: dict[str, Any], ttl: float = DAY) -> None:
        """Remember an answer; the one asked for least recently goes when there are too many."""
        with self._lock:
            self._keep(key, time.monotonic() + ttl, payload)

    def forget(self, key: str) -> None:
        """Have the event be new again."""
        with self._lock:
            self._answers.pop(key, None)

    def _keep(self, key: str, until: float, payload: dict[str, Any] | None) -> None:
        self._answers[key] = until, payload
        self._answers.move_to_end(key)
        if len(self._answers) > self._max_size:
            self._answers.popitem(last=False)
