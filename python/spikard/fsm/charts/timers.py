"""Events that come later."""

import heapq
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

_EPOCH = datetime.fromtimestamp(0, UTC)

# Name, type, sendid, origin, origintype, invokeid, data.
ChartEvent: TypeAlias = tuple[str, str, str | None, str | None, str | None, str | None, Any]


@dataclass(frozen=True, slots=True)
class Timer:
    """An event that is on its way to somewhere."""

    due: datetime
    session_id: str
    event: ChartEvent
    target: str | None
    kind: str

    def to_data(self) -> dict[str, Any]:
        """The timer as plain data, when it is due in microseconds since 1970."""
        name, _, send_id, origin, origin_type, _, data = self.event
        return {
            "due": (self.due - _EPOCH) // timedelta(microseconds=1),
            "event": name,
            "send_id": send_id,
            "origin": [origin, origin_type],
            "data": data,
            "target": self.target,
            "kind": self.kind,
        }

    @classmethod
    def from_data(cls, session_id: str, data: Mapping[str, Any]) -> "Timer":
        """The timer that `to_data` has written."""
        origin, origin_type = data["origin"]
        event = (data["event"], "external", data["send_id"], origin, origin_type, None, data["data"])
        due = _EPOCH + timedelta(microseconds=data["due"])
        return cls(due, session_id, event, data["target"], data["kind"])


class Timers:
    """What is due in the order of time, and of arming where the time is the same."""

    __slots__ = ("_heap", "_numbers")

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, int, Timer]] = []
        self._numbers = itertools.count()

    def __len__(self) -> int:
        return len(self._heap)

    def __iter__(self) -> Iterator[Timer]:
        return (timer for _, _, timer in sorted(self._heap, key=lambda entry: entry[:2]))

    def arm(self, timer: Timer) -> None:
        """Adds a timer."""
        heapq.heappush(self._heap, (timer.due, next(self._numbers), timer))

    def forget(self, session_id: str, send_id: str | None = None) -> None:
        """Drops the timers of a session, or those of one id."""
        kept = [
            entry
            for entry in self._heap
            if entry[2].session_id != session_id or (send_id is not None and entry[2].event[2] != send_id)
        ]
        if len(kept) < len(self._heap):
            self._heap = kept
            heapq.heapify(self._heap)

    @property
    def next_due(self) -> datetime | None:
        """When the first is due."""
        return self._heap[0][0] if self._heap else None

    def take(self, now: datetime) -> Timer | None:
        """The first that is due."""
        if self._heap and self._heap[0][0] <= now:
            return heapq.heappop(self._heap)[2]
        return None
