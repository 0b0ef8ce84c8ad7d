"""A rate that processes share."""

import asyncio
from typing import Any

from spikard.bots.redis_client import redis_client

# One moment is kept, in microseconds of the server's clock: when the bucket was, or will be, empty. `mode` 1 takes n
# tokens and gives the wait, -1 gives them back, 0 pauses for n seconds.
_SCRIPT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, depth, mode, n = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local empty_at = math.max(tonumber(redis.call('GET', KEYS[1]) or '-1'), now - depth)
if mode == 0 then
    empty_at = math.max(empty_at, now + n * 1000000)
else
    empty_at = empty_at + math.ceil(mode * n * interval)
end
local kept = math.ceil((empty_at - now + depth) / 1000) + 1000
redis.call('SET', KEYS[1], string.format('%.0f', empty_at), 'PX', string.format('%.0f', kept))
return string.format('%.0f', math.max(empty_at - now, 0))
"""


class RedisRateLimiter:
    """`RateLimiter` for several processes, by the clock of a Redis server.

    Args:
        url: Of the server, like `redis://localhost:6379/0`, or a client of `redis.asyncio`.
        key: Under which the limit is kept; processes with the same key share it.
        rate: Calls per second in the long run.
        burst: How many may start at once after a quiet time.
    """

    def __init__(self, url: Any, key: str, rate: float, burst: float = 5) -> None:
        if not (rate > 0 and burst > 0):
            raise ValueError(f"rate and burst are above zero: not rate={rate} and burst={burst}")
        self.rate = rate
        self.burst = burst
        self.key = key
        self._is_ours = isinstance(url, str)
        if self._is_ours:
            url = redis_client(url)
        self._redis = url
        self._script = url.register_script(_SCRIPT)

    async def acquire(self, n: float = 1.0, priority: int = 1) -> None:
        """Waits until n calls may start; a waiter that is cancelled gives its place back."""
        del priority  # processes do not know of each other's
        wait = await self._run(1, n)
        if wait > 0.0:
            try:
                await asyncio.sleep(wait)
            except asyncio.CancelledError:
                await asyncio.shield(asyncio.ensure_future(self._run(-1, n)))
                raise

    async def pause(self, seconds: float) -> None:
        """Lets no call of any process start for that long."""
        await self._run(0, seconds)

    async def aclose(self) -> None:
        """Closes the connection, unless it was passed in."""
        if self._is_ours:
            await self._redis.aclose()

    async def _run(self, mode: int, n: float) -> float:
        interval = 1_000_000 / self.rate
        answer = await self._script(keys=[self.key], args=[interval, interval * self.burst, mode, n])
        return int(answer) / 1_000_000

    def __repr__(self) -> str:
        return f"RedisRateLimiter(key={self.key!r}, rate={self.rate:g}, burst={self.burst:g})"


__all__ = ["RedisRateLimiter"]
