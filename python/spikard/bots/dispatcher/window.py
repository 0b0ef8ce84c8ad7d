"""Which events have come already."""

from collections import deque
from collections.abc import Iterable

from spikard.bots.types.event import Update

SIZE = 10_000


class Window:
    """The ids of the last events, in so far as they come from one server.

    Args:
        last_id: Up to which id a process before this one has taken events over.
    """

    def __init__(self, last_id: int = 0) -> None:
        self._floor = last_id
        self._order: deque[int] = deque()
        self._seen: set[int] = set()

    def fresh(self, updates: Iterable[Update]) -> list[Update]:
        """Those that have not come before, by id."""
        found = []
        for update in sorted(updates, key=lambda one: one.event_id):
            number = update.event_id
            if number in self._seen or (self._floor and self._floor - SIZE < number <= self._floor):
                continue
            self._seen.add(number)
            self._order.append(number)
            if len(self._order) > SIZE:
                self._seen.discard(self._order.popleft())
            found.append(update)
        return found


__all__ = ["SIZE", "Window"]
