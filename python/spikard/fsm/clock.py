"""Time as a value that is handed in: the machine's own, and one that tests turn by hand."""

import asyncio
import heapq
import itertools
import threading
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where schedulers, orchestrators and stores read the time and wait for it."""

    def now(self) -> datetime:
        """The present moment, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Come back when the time is up."""
        ...


class FsmClock:
    """The clock of the machine this runs on."""

    __slots__ = ()

    def now(self) -> datetime:
        """The present moment, in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Come back when the time is up."""
        await asyncio.sleep(seconds)


class SimulatedClock:
    """A clock that stands still until `advance`: whoever sleeps is woken in the order of time."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime(2026, 1, 1, tzinfo=UTC)
        self._sleepers: list[tuple[datetime, int, asyncio.AbstractEventLoop, asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The present moment, in UTC."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass; those whose time is up go on in their own loops. May be called from any thread."""
        if seconds < 0:
            raise ValueError(f"a clock cannot go back: {seconds} seconds")
        with self._lock:
            self._now += timedelta(seconds=seconds)
            due = []
            while self._sleepers and self._sleepers[0][0] <= self._now:
                due.append(heapq.heappop(self._sleepers))
        for _, _, loop, future in due:
            if not loop.is_closed():
                loop.call_soon_threadsafe(_wake, future)

    @property
    def sleeping(self) -> int:
        """How many wait for time to pass."""
        with self._lock:
            return sum(not future.done() for _, _, _, future in self._sleepers)

    async def sleep(self, seconds: float) -> None:
        """Come back when the time was advanced far enough."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        with self._lock:
            until = self._now + timedelta(seconds=seconds)
            heapq.heappush(self._sleepers, (until, next(self._numbers), loop, future))
        await future


def _wake(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
