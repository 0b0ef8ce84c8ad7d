"""How fast calls go out."""

import asyncio
import threading
from collections.abc import AsyncIterator
from secrets import token_hex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikard._spikard import KeyedBuckets, TokenBucket
from spikard.bots import RateLimiter
from spikard.bots.limits import BULK, URGENT, ChatPace, RedisRateLimiter
from spikard.bots.testing import FakeVKTeams
from tests.services import redis_url

__all__ = ["redis_url"]


def now() -> float:
    return asyncio.get_running_loop().time()


def test_a_bucket_goes_into_debt() -> None:
    bucket = TokenBucket(10, burst=2)
    assert [bucket.reserve(), bucket.reserve()] == [0.0, 0.0]
    assert bucket.reserve() == pytest.approx(0.1, abs=0.05)
    assert bucket.reserve() == pytest.approx(0.2, abs=0.05)
    assert bucket.level < -1
    bucket.cancel(2)
    assert bucket.take() == pytest.approx(0.1, abs=0.05)
    bucket.pause(5)
    assert bucket.reserve() == pytest.approx(5.1, abs=0.05)


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-1, 1), (1, 0), (float("nan"), 1), (1, float("inf"))])
def test_senseless_limits_are_refused(rate: float, burst: float) -> None:
    with pytest.raises(ValueError, match="above zero"):
        TokenBucket(rate, burst)
    with pytest.raises(ValueError, match="above zero"):
        KeyedBuckets(rate, burst)


def test_threads_share_a_bucket_and_lose_nothing() -> None:
    bucket = TokenBucket(0.001, burst=1000)
    granted = []

    def take() -> None:
        granted.append(sum(bucket.take() == 0.0 for _ in range(1000)))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(granted) == 1000


def test_keys_have_buckets_of_their_own_in_bounded_memory() -> None:
    buckets = KeyedBuckets(1, burst=1, max_keys=10)
    assert buckets.reserve("a") == 0.0
    assert buckets.reserve("a") > 0.9
    for number in range(100):
        buckets.reserve(str(number))
    assert len(buckets) == 10
    assert buckets.take("a") > 0.9, "who is busiest is remembered"
    buckets.cancel("a", 2)
    assert buckets.take("a") == 0.0


async def test_calls_start_at_the_rate() -> None:
    limiter = RateLimiter(50, burst=2)
    starts = []

    async def call() -> None:
        await limiter.acquire()
        starts.append(now())

    await asyncio.gather(*(call() for _ in range(12)))
    for first, start in enumerate(starts):
        for last in range(first, len(starts)):
            # The clock of the test is read a little after the call was let out.
            assert last - first + 1 <= 50 * (starts[last] - start + 0.02) + 2
    assert starts[-1] - starts[0] < 2


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 20), min_size=1, max_size=30), st.integers(100, 400), st.integers(1, 6))
def test_no_window_has_more_than_rate_and_burst(gaps: list[int], rate: int, burst: int) -> None:
    async def run() -> list[float]:
        limiter = RateLimiter(rate, burst)
        starts: list[float] = []

        async def call(delay: float) -> None:
            await asyncio.sleep(delay)
            await limiter.acquire()
            starts.append(now())

        await asyncio.gather(*(call(sum(gaps[:number]) / 2000) for number in range(len(gaps))))
        return starts

    starts = asyncio.run(run())
    for first, start in enumerate(starts):
        for last in range(first, len(starts)):
            assert last - first + 1 <= rate * (starts[last] - start + 0.02) + burst


async def test_first_come_first_served_but_the_urgent_sooner() -> None:
    limiter = RateLimiter(100, burst=1)
    await limiter.acquire()
    order: list[str] = []

    async def call(name: str, priority: int = 1) -> None:
        await limiter.acquire(priority=priority)
        order.append(name)

    await asyncio.gather(call("bulk", BULK), call("a"), call("b"), call("urgent", URGENT))
    assert order == ["urgent", "a", "b", "bulk"]


async def test_who_is_cancelled_takes_nothing() -> None:
    limiter = RateLimiter(10, burst=1)
    await limiter.acquire()
    waiting = [asyncio.create_task(limiter.acquire()) for _ in range(20)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    start = now()
    await limiter.acquire()
    assert now() - start < 0.5
    assert limiter.level < 1


async def test_more_at_once_than_ever_start_is_refused() -> None:
    with pytest.raises(ValueError, match="raise the burst"):
        await RateLimiter(1, burst=2).acquire(3)
    assert repr(RateLimiter(1, burst=2)) == "RateLimiter(rate=1, burst=2)"


async def test_a_pause_holds_everybody() -> None:
    limiter = RateLimiter(float("inf"), 1)
    await limiter.pause(0.1)
    start = now()
    await asyncio.gather(*(limiter.acquire() for _ in range(10)))
    assert 0.09 <= now() - start < 2


async def test_polls_are_not_counted(server: FakeVKTeams) -> None:
    bot = server.bot(rate_limit=0.01, burst=1)
    await bot.get_me()
    for _ in range(5):
        await bot.get_events(poll_time=0)
    assert server.polls == 5


async def test_messages_to_one_chat_keep_their_order_and_pace(server: FakeVKTeams) -> None:
    bot = server.bot(per_chat=20)
    start = now()
    await asyncio.gather(*(bot.send_text("c", str(number)) for number in range(5)), bot.send_text("d", "x"))
    assert [message.text for message in server.sent if message.chat_id == "c"] == list("01234")
    assert now() - start >= 0.18


async def test_who_gives_up_waiting_for_a_chat_holds_nobody() -> None:
    pace = ChatPace(None)
    entered = asyncio.Event()
    leave = asyncio.Event()
    order: list[str] = []

    async def hold() -> None:
        async with pace.turn("c"):
            entered.set()
            await leave.wait()
            order.append("first")

    async def follow(name: str) -> None:
        async with pace.turn("c"):
            order.append(name)

    first = asyncio.create_task(hold())
    await entered.wait()
    second, third = asyncio.create_task(follow("second")), asyncio.create_task(follow("third"))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    assert order == []
    leave.set()
    await asyncio.gather(first, third)
    assert order == ["first", "third"]
    assert pace._last == {}


@pytest.fixture
async def shared(redis_url: str) -> AsyncIterator[tuple[RedisRateLimiter, RedisRateLimiter]]:
    key = f"test-bots:{token_hex(8)}"
    limiters = RedisRateLimiter(redis_url, key, 50, burst=2), RedisRateLimiter(redis_url, key, 50, burst=2)
    yield limiters
    for limiter in limiters:
        await limiter.aclose()


async def test_processes_share_a_rate(shared: tuple[RedisRateLimiter, RedisRateLimiter]) -> None:
    one, other = shared
    start = now()
    await asyncio.gather(*(limiter.acquire() for limiter in (one, other) for _ in range(6)))
    assert now() - start >= 0.19
    await one.pause(0.2)
    start = now()
    await other.acquire()
    assert now() - start >= 0.19


async def test_a_place_in_redis_is_given_back(redis_url: str) -> None:
    limiter = RedisRateLimiter(redis_url, f"test-bots:{token_hex(8)}", 0.01, burst=2)
    try:
        await limiter.acquire(2)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(limiter.acquire(2), 0.2)
        assert await limiter._run(1, 0) < 1, "nobody is before us"
    finally:
        await limiter.aclose()


def test_a_senseless_limit_in_redis_is_refused() -> None:
    with pytest.raises(ValueError, match="above zero"):
        RedisRateLimiter("redis://h", "k", 0)


async def test_thousands_may_wait_for_a_shared_limit(redis_url: str) -> None:
    limiter = RedisRateLimiter(redis_url, f"test-bots:{token_hex(8)}", rate=1_000_000, burst=5000)
    await asyncio.gather(*(limiter.acquire() for _ in range(2000)))
    await limiter.aclose()
