"""Time that stands still, for tests of limits and tokens."""

import datetime as dt
import time
from types import TracebackType
from typing import Self

from spikard._spikard import hold_clock

Moment = dt.datetime | float | str
NANOSECONDS = 1_000_000_000


class FrozenTime:
    """Holds the clock of rate limits and tokens while entered; see `freeze_time`."""

    def __init__(self, at: Moment | None = None) -> None:
        self._at = time.time_ns() if at is None else _nanoseconds(at)
        self._before: int | None = None

    @property
    def now(self) -> float:
        """The moment, in seconds since 1970."""
        return self._at / NANOSECONDS

    def tick(self, seconds: float = 1.0) -> None:
        """Let time pass."""
        self._at += round(seconds * NANOSECONDS)
        hold_clock(self._at)

    def move_to(self, at: Moment) -> None:
        """Go to another moment."""
        self._at = _nanoseconds(at)
        hold_clock(self._at)

    def __enter__(self) -> Self:
        self._before = hold_clock(self._at)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        hold_clock(self._before)


def freeze_time(at: Moment | None = None) -> FrozenTime:
    """Hold the clock that rate limits and tokens go by, in every server of this process.

        with freeze_time("2030-01-01T12:00:00Z") as time:
            ...
            time.tick(60)

    Without a moment it is held where it is. A datetime without a zone is taken as UTC; Python's own clock runs on.
    """
    return FrozenTime(at)


def _nanoseconds(at: Moment) -> int:
    if isinstance(at, str):
        at = dt.datetime.fromisoformat(at)
    if isinstance(at, dt.datetime):
        at = (at if at.tzinfo else at.replace(tzinfo=dt.UTC)).timestamp()
    return round(at * NANOSECONDS)


__all__ = ["FrozenTime", "freeze_time"]
