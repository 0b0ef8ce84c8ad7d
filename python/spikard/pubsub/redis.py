"""Buses over Redis: messages between workers, and between machines."""

import asyncio
import logging
import random
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import suppress
from secrets import token_bytes
from typing import Any

from spikard.pubsub.protocol import BusCounts, Deliver
from spikard.pubsub.subscriptions import Subscriptions

try:
    from redis.asyncio import Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
    from redis.exceptions import RedisError
except ModuleNotFoundError as fault:
    raise ImportError("spikard.pubsub.redis needs redis: pip install 'spikard[redis]'") from fault

logger = logging.getLogger("spikard.error")

# Seconds.
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 10.0
# So long without a word from Redis, and it is asked for a sign of life; as long again, and it counts as gone.
SILENCE = 15.0
TIMEOUT = 5.0
STOP = 1.0
WARNING_INTERVAL = 10.0
# Messages that go to Redis together.
BATCH = 128
# In front of each message: who has sent it, and as which of its messages.
SENDER_SIZE, NUMBER_SIZE = 8, 8
# Senders whose last number is remembered.
SENDERS = 4096

AWAY = (RedisError, OSError)


class RedisBus:
    """A bus on a Redis server, which all processes that name it share.

        app.channels.use(RedisBus("redis://localhost"))

    A lost connection is made again, with growing pauses up to 10 seconds. What is published meanwhile waits in a queue
    of `queue` messages; what finds it full is dropped and counted. What others publish meanwhile is lost, for Redis
    keeps nothing for those who are not there.
    """

    def __init__(self, url: str, *, prefix: str = "spikard:", queue: int = 1024) -> None:
        if queue < 1:
            raise ValueError(f"RedisBus: queue must be at least 1, not {queue}")
        # Without retries of its own: those here know what to subscribe to again.
        self._make_client: Callable[[], Redis] = lambda: Redis.from_url(
            url,
            decode_responses=False,
            retry=Retry(NoBackoff(), 0),
            socket_connect_timeout=TIMEOUT,
            socket_timeout=TIMEOUT,
        )
        self._prefix = prefix
        self._limit = queue
        self._counts = BusCounts()
        self._id = token_bytes(SENDER_SIZE)
        self._number = 0
        self._queue: deque[tuple[str, bytes]] = deque()
        self._queued = asyncio.Event()
        self._emptied = asyncio.Event()
        self._topics: dict[str, list[Deliver]] = {}
        self._subscriptions = Subscriptions()
        self._last: OrderedDict[bytes, int] = OrderedDict()
        self._client: Redis | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._warned = -WARNING_INTERVAL

    @property
    def counts(self) -> BusCounts:
        """What has become of messages so far."""
        return self._counts

    async def start(self) -> None:
        """Connect in the background, and wait for that as long as it is not refused."""
        if self._tasks:
            raise RuntimeError("this bus is running already")
        self._client = self._make_client()
        self._queued, self._emptied = asyncio.Event(), asyncio.Event()
        tried = asyncio.Event()
        self._tasks = [
            asyncio.create_task(self._listen(self._client, tried), name="spikard-redis-listen"),
            asyncio.create_task(self._send(self._client), name="spikard-redis-send"),
        ]
        await tried.wait()

    async def stop(self) -> None:
        """Send what is queued for at most a second, and end."""
        if self._client is None:
            return
        if self._queue:
            self._emptied.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._emptied.wait(), STOP)
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._counts.dropped += len(self._queue)
        self._queue.clear()
        client, self._client = self._client, None
        with suppress(*AWAY):
            await client.aclose()

    def subscribe(self, topic: str, deliver: Deliver) -> None:
        """Call `deliver` with what others publish under a topic, from the moment `settled` tells."""
        self._topics.setdefault(topic, []).append(deliver)
        self._subscriptions.want(topic)

    def unsubscribe(self, topic: str, deliver: Deliver) -> None:
        """Call it no more."""
        delivers = self._topics.get(topic, [])
        if deliver in delivers:
            delivers.remove(deliver)
        if not delivers and self._topics.pop(topic, None) is not None:
            self._subscriptions.drop(topic)

    async def settled(self, topic: str) -> None:
        """Wait until Redis has confirmed a subscription; returns also when there is no connection."""
        await self._subscriptions.settled(topic)

    def publish(self, topic: str, data: bytes) -> bool:
        """Queue a message for all others; False if the queue is full, or the bus is not running."""
        if self._client is None or len(self._queue) >= self._limit:
            self._counts.dropped += 1
            self._warn("the queue of messages for Redis is full; %d have been dropped", self._counts.dropped)
            return False
        self._number += 1
        self._queue.append((topic, self._id + self._number.to_bytes(NUMBER_SIZE) + data))
        self._queued.set()
        return True

    async def _send(self, client: "Redis") -> None:
        pauses = Pauses()
        while not is_ending():
            await self._queued.wait()
            batch = [self._queue[index] for index in range(min(BATCH, len(self._queue)))]
            try:
                async with client.pipeline(transaction=False) as pipeline:
                    for topic, message in batch:
                        pipeline.publish(self._prefix + topic, message)
                    heard = await pipeline.execute()
            except AWAY as fault:
                # Sent again when Redis is back; receivers know by the numbers what they have already.
                self._warn("messages wait for Redis: %s", fault)
                await asyncio.sleep(pauses.next())
                continue
            pauses.reset()
            for (topic, _), listeners in zip(batch, heard, strict=True):
                self._queue.popleft()
                self._counts.published += 1
                self._counts.unheard += listeners <= self._subscriptions.is_confirmed(topic)
            if not self._queue:
                self._queued.clear()
                self._emptied.set()

    async def _listen(self, client: "Redis", tried: asyncio.Event) -> None:
        pauses, was_connected = Pauses(), False
        while not is_ending():
            pubsub = client.pubsub()
            try:
                # A connection without a subscription could not be read from.
                await pubsub.subscribe(self._prefix + self._id.hex())
                self._counts.reconnects += was_connected
                was_connected = True
                pauses.reset()
                self._subscriptions.connected()
                tried.set()
                await self._follow(pubsub)
            except AWAY as fault:
                self._warn("there is no connection to Redis: %s", fault)
            finally:
                tried.set()
                self._subscriptions.disconnected()
                with suppress(*AWAY):
                    await pubsub.aclose()  # type: ignore[no-untyped-call]
            await asyncio.sleep(pauses.next())

    async def _follow(self, pubsub: Any) -> None:
        """Read and subscribe until the connection breaks."""
        tasks = [asyncio.create_task(self._read(pubsub)), asyncio.create_task(self._subscribe(pubsub))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        for fault in ended:
            if isinstance(fault, Exception):
                raise fault

    async def _subscribe(self, pubsub: Any) -> None:
        while not is_ending():
            wanted, unwanted = await self._subscriptions.next()
            if unwanted:
                await pubsub.unsubscribe(*(self._prefix + topic for topic in unwanted))
            if wanted:
                await pubsub.subscribe(*(self._prefix + topic for topic in wanted))

    async def _read(self, pubsub: Any) -> None:
        is_asked = False
        while not is_ending():
            message = await pubsub.get_message(timeout=SILENCE)
            if message is None:
                if is_asked:
                    raise ConnectionError(f"no answer within {SILENCE:.0f} seconds")
                is_asked = True
                await pubsub.ping()
                continue
            is_asked = False
            topic = (message["channel"] or b"").decode().removeprefix(self._prefix)
            if message["type"] == "message":
                self._take(topic, message["data"])
                # A burst is read without waiting; those it is for get a turn to pass it on.
                await asyncio.sleep(0)
            elif message["type"] == "subscribe":
                self._subscriptions.confirm(topic)

    def _take(self, topic: str, message: bytes) -> None:
        sender, numbered = message[:SENDER_SIZE], message[SENDER_SIZE : SENDER_SIZE + NUMBER_SIZE]
        number = int.from_bytes(numbered)
        if sender == self._id or number <= self._last.get(sender, 0):
            return
        self._last[sender] = number
        self._last.move_to_end(sender)
        if len(self._last) > SENDERS:
            self._last.popitem(last=False)
        delivers = tuple(self._topics.get(topic, ()))
        if not delivers:
            self._counts.unclaimed += 1
            return
        self._counts.received += 1
        for deliver in delivers:
            try:
                deliver(message[SENDER_SIZE + NUMBER_SIZE :])
            except Exception:
                logger.exception("a message of topic %r could not be delivered", topic)

    def _warn(self, text: str, *values: object) -> None:
        """Warn, but not for every message of an outage."""
        if time.monotonic() - self._warned >= WARNING_INTERVAL:
            self._warned = time.monotonic()
            logger.warning(text, *values)


def is_ending() -> bool:
    """Whether the running task has been cancelled: before Python 3.12 the exception that says so may get lost."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class Pauses:
    """Growing pauses between attempts, shaken so that not all processes come at once."""

    def __init__(self) -> None:
        self._next = FIRST_PAUSE

    def next(self) -> float:
        """How long to wait before the next attempt, in seconds."""
        pause, self._next = self._next, min(self._next * 2, LONGEST_PAUSE)
        return pause * random.uniform(0.5, 1.0)  # noqa: S311 - not a secret

    def reset(self) -> None:
        """Begin again with the shortest."""
        self._next = FIRST_PAUSE


__all__ = ["RedisBus"]
