"""The clock of a test: it stands still until somebody turns it."""

import asyncio
import heapq
import itertools
from datetime import UTC, datetime, timedelta


class TesterClock:
    """Time that passes only in `advance`. Who sleeps by it is woken in the order of time, one moment after another."""

    __test__ = False

    def __init__(self, start: datetime | None = None) -> None:
        start = start or datetime.now(UTC)
        self._now = start if start.tzinfo else start.replace(tzinfo=UTC)
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self._woken: set[asyncio.Task[None]] = set()
        self._settled = asyncio.Event()

    def now(self) -> datetime:
        """The present moment, in UTC."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Come back when the clock was turned far enough."""
        task = asyncio.current_task()
        self._rests(task)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + timedelta(seconds=max(seconds, 0)), next(self._numbers), future))
        try:
            await future
        finally:
            if task is not None and not task.cancelling():
                self._woken.add(task)
                task.add_done_callback(self._rests)

    async def advance(self, seconds: float) -> None:
        """Let time pass. Whoever's time comes meanwhile has done its work, as far as its next sleep, when this ends.

        Raises:
            ValueError: The time would go back.
        """
        if seconds < 0:
            raise ValueError(f"a clock cannot go back: {seconds} seconds")
        await asyncio.sleep(0)  # tasks that were just started come as far as their first sleep
        until = self._now + timedelta(seconds=seconds)
        while self._sleepers and self._sleepers[0][0] <= until:
            at, _, future = heapq.heappop(self._sleepers)
            if future.done():
                continue
            self._now = max(self._now, at)
            future.set_result(None)
            await asyncio.sleep(0)
            while self._woken:
                self._settled.clear()
                await self._settled.wait()
        self._now = until

    def _rests(self, task: "asyncio.Task[None] | None") -> None:
        if task is not None:
            self._woken.discard(task)
            self._settled.set()


__all__ = ["TesterClock"]
