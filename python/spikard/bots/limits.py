"""How fast calls go out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from heapq import heappop, heappush
from itertools import count
from typing import Protocol
from weakref import WeakKeyDictionary

from spikard._spikard import KeyedBuckets, TokenBucket
from spikard.bots.redis_limiter import RedisRateLimiter

# Who goes first when several wait.
URGENT, NORMAL, BULK = 0, 1, 2
# What calls that do not say otherwise have.
current_priority: ContextVar[int] = ContextVar("spikard_bots_priority", default=NORMAL)


class Limiter(Protocol):
    """What lets calls start."""

    async def acquire(self, n: float = 1.0, priority: int = NORMAL) -> None:
        """Waits until n calls may start. A waiter that is cancelled takes nothing."""

    async def pause(self, seconds: float) -> None:
        """Lets no call start for that long."""


class _Line:
    """Those who wait in one event loop."""

    def __init__(self) -> None:
        self.waiters: list[tuple[int, int, float, asyncio.Future[None]]] = []
        self.timer: asyncio.TimerHandle | None = None


class RateLimiter:
    """Lets at most `rate * seconds + burst` calls start in any stretch of time, first come, first served.

    Counts when calls really start: a busy event loop that wakes waiters late does not let them out together. May be
    shared by bots, event loops and threads of a process.

    Args:
        rate: Calls per second in the long run; infinite for no limit but `pause`.
        burst: How many may start at once after a quiet time.
    """

    def __init__(self, rate: float, burst: float = 5) -> None:
        self.rate = rate
        self.burst = burst
        self._bucket = TokenBucket(rate, burst)
        self._lines: WeakKeyDictionary[asyncio.AbstractEventLoop, _Line] = WeakKeyDictionary()
        self._numbers = count()

    @property
    def interval(self) -> float:
        """Seconds from call to call in the long run."""
        return 1 / self.rate

    @property
    def level(self) -> float:
        """How many calls could start now."""
        return self._bucket.level

    async def acquire(self, n: float = 1.0, priority: int = NORMAL) -> None:
        """Waits until n calls may start. Raises ValueError if that is more than ever start at once."""
        if n > self.burst:
            raise ValueError(f"No more than {self.burst} calls start at once, not {n}: raise the burst")
        loop = asyncio.get_running_loop()
        line = self._lines.get(loop)
        if line is None:
            line = self._lines[loop] = _Line()
        if not line.waiters and self._bucket.take(n) == 0.0:
            return
        turn: asyncio.Future[None] = loop.create_future()
        heappush(line.waiters, (priority, next(self._numbers), n, turn))
        if line.timer is None or line.waiters[0][3] is turn:
            self._release(loop, line)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._bucket.cancel(n)
            raise

    async def pause(self, seconds: float) -> None:
        """Lets no call start for that long, and then at the usual rate, without a burst."""
        self._bucket.pause(seconds)

    def _release(self, loop: asyncio.AbstractEventLoop, line: _Line) -> None:
        """Lets out whoever may go, and comes back when the next one may."""
        if line.timer is not None:
            line.timer.cancel()
            line.timer = None
        while line.waiters:
            _, _, n, turn = line.waiters[0]
            if not turn.done():
                wait = self._bucket.take(n)
                if wait > 0.0:
                    line.timer = loop.call_later(wait, self._release, loop, line)
                    return
                turn.set_result(None)
            heappop(line.waiters)

    def __repr__(self) -> str:
        return f"RateLimiter(rate={self.rate:g}, burst={self.burst:g})"


class ChatPace:
    """Lets calls to one chat start one after another, at a rate of their own."""

    def __init__(self, rate: float | None, burst: float = 1.0) -> None:
        self._buckets = None if rate is None else KeyedBuckets(rate, burst)
        self._last: dict[str, asyncio.Future[None]] = {}

    @asynccontextmanager
    async def turn(self, chat_id: str) -> AsyncIterator[None]:
        """Waits for the call before to end, so that messages arrive in order, and for the chat's rate."""
        before = self._last.get(chat_id)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._last[chat_id] = done
        try:
            if before is not None:
                await asyncio.wait([before])
            await self._wait(chat_id)
            yield
        finally:
            if before is not None and not before.done():
                # Cancelled while waiting: whoever comes next waits for the one before instead.
                before.add_done_callback(lambda _: _settle(done))
            else:
                _settle(done)
            if self._last.get(chat_id) is done and done.done():
                del self._last[chat_id]

    async def _wait(self, chat_id: str) -> None:
        if self._buckets is None:
            return
        wait = self._buckets.reserve(chat_id)
        if wait > 0.0:
            try:
                await asyncio.sleep(wait)
            except asyncio.CancelledError:
                self._buckets.cancel(chat_id)
                raise


def _settle(done: "asyncio.Future[None]") -> None:
    if not done.done():
        done.set_result(None)


__all__ = ["BULK", "NORMAL", "URGENT", "ChatPace", "Limiter", "RateLimiter", "RedisRateLimiter", "current_priority"]
