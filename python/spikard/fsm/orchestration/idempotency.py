"""Events that come twice."""

import threading
import time
from collections import OrderedDict
from typing import Any, Protocol, runtime_checkable

LEAST_RECENT_KEPT = 10_000
DAY = 86_400.0


@runtime_checkable
class IdempotencyStore(Protocol):
    """Remembers what was answered to a key."""

    def begin(self, key: str) -> dict[str, Any] | None:
        """What was answered before, or None: then it is to be done, and `finish` called."""
        ...

    def finish(self, key: str, payload: dict[str, Any], ttl: float = DAY) -> None:
        """Remember an answer for a while."""
        ...


class InMemoryIdempotencyStore:
    """Remembers the latest answers in this process's memory."""

    def __init__(self, max_size: int = LEAST_RECENT_KEPT) -> None:
        self._max_size = max_size
        self._answers: OrderedDict[str, tuple[float, dict[str, Any]]] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, key: str) -> dict[str, Any] | None:
        """What was answered before, or None."""
        with self._lock:
            found = self._answers.get(key)
            if found is None:
                return None
            if found[0] < time.monotonic():
                del self._answers[key]
                return None
            self._answers.move_to_end(key)
            return found[1]

    def finish(self, key: str, payload: dict[str, Any], ttl: float = DAY) -> None:
        """Remember an answer; the one asked for least recently goes when there are too many."""
        with self._lock:
            self._answers[key] = (time.monotonic() + ttl, payload)
            self._answers.move_to_end(key)
            if len(self._answers) > self._max_size:
                self._answers.popitem(last=False)
