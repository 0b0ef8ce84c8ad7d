"""The clock of a test: it stands still until somebody turns it."""

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Generator
from datetime import UTC, datetime, timedelta
from typing import Any


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
        # What nobody has waited for yet.
        self._turns: list[_Turn] = []

    def now(self) -> datetime:
        """The present moment, in UTC."""
        return self._now + timedelta(seconds=sum(turn.seconds for turn in self._turns))

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

    def advance(self, seconds: float) -> Awaitable[None]:
        """Let time pass. Whoever's time comes meanwhile has done its work, as far as its next sleep, when this was
        awaited; without `await` they do it before the next message.

        Raises:
            ValueError: The time would go back.
        """
        if seconds < 0:
            raise ValueError(f"a clock cannot go back: {seconds} seconds")
        turn = _Turn(self, seconds)
        self._turns.append(turn)
        return turn

    async def catch_up(self) -> None:
        """Does what `advance` was told without being awaited."""
        while self._turns:
            await self._turns[0]

    async def _turn(self, turn: "_Turn") -> None:
        if turn not in self._turns:
            return
        self._turns.remove(turn)
        seconds = turn.seconds
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


class _Turn:
    """Time that is to pass."""

    def __init__(self, clock: TesterClock, seconds: float) -> None:
        self.seconds = seconds
        self._clock = clock

    def __await__(self) -> Generator[Any, None, None]:
        return self._clock._turn(self).__await__()


__all__ = ["TesterClock"]
