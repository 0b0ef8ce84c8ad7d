"""What only a bus over Redis goes through: connections that break, and a server that is away."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from secrets import token_hex
from urllib.parse import urlsplit

import pytest

from spikard.pubsub.redis import RedisBus
from tests.pubsub.inbox import Inbox

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Proxy:
    """Stands between a bus and Redis, and can be away."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 6379)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0
        self._wanted = b""
        self._told = asyncio.Event()
        # How often it has been away: what a connection from before still says does not count.
        self._absences = 0

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    async def up(self) -> None:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def down(self) -> None:
        if self._server is not None:
            self._absences += 1
            self._server.close()
            for writer in self._writers:
                writer.transport.abort()
            await self._server.wait_closed()
            self._server = None

    async def told(self, text: str) -> None:
        """Wait until Redis has said something."""
        self._wanted = text.encode()
        async with asyncio.timeout(15):
            await self._told.wait()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(*self._target)
        self._writers |= {writer, there_writer}
        await asyncio.gather(self._pump(reader, there_writer), self._pump(there_reader, writer, is_watched=True))

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_watched: bool = False
    ) -> None:
        try:
            said, absences = b"", self._absences
            while data := await reader.read(65536):
                writer.write(data)
                said += data
                if is_watched and absences == self._absences and self._wanted and self._wanted in said:
                    self._told.set()
                await writer.drain()
        except OSError:
            pass
        finally:
            self._writers.discard(writer)
            writer.close()


@asynccontextmanager
async def proxied(url: str) -> AsyncIterator[Proxy]:
    proxy = Proxy(url)
    await proxy.up()
    try:
        yield proxy
    finally:
        await proxy.down()


@contextmanager
def told(text: str) -> Iterator[asyncio.Event]:
    """Set when the log says something."""
    event = asyncio.Event()

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if text in record.getMessage():
                event.set()

    listener = Listener()
    logger = logging.getLogger("spikard")
    logger.addHandler(listener)
    try:
        yield event
    finally:
        logger.removeHandler(listener)


async def test_a_broken_connection_is_made_again(redis_url: str) -> None:
    prefix, inbox = f"test-{token_hex(8)}:", Inbox()
    speaker = RedisBus(redis_url, prefix=prefix)
    async with proxied(redis_url) as proxy:
        listener = RedisBus(proxy.url, prefix=prefix)
        listener.subscribe("tea", inbox)
        await speaker.start()
        await listener.start()
        await listener.settled("tea")
        with told("there is no connection to Redis") as warned:
            await proxy.down()
            # Before that a client library may still be at it, by itself.
            await warned.wait()
        await proxy.up()
        await proxy.told(prefix + "tea")
        assert listener.counts.reconnects == 1
        speaker.publish("tea", b"after")
        assert await inbox.next() == [b"after"]
        await listener.stop()
        await speaker.stop()


async def test_messages_wait_for_redis_and_come_once(redis_url: str) -> None:
    prefix, inbox = f"test-{token_hex(8)}:", Inbox()
    listener = RedisBus(redis_url, prefix=prefix)
    listener.subscribe("tea", inbox)
    await listener.start()
    await listener.settled("tea")
    async with proxied(redis_url) as proxy:
        speaker = RedisBus(proxy.url, prefix=prefix)
        await speaker.start()
        speaker.publish("tea", b"0")
        assert await inbox.next() == [b"0"]
        await proxy.down()
        said = [b"%d" % number for number in range(1, 300)]
        assert all(speaker.publish("tea", message) for message in said)
        await proxy.up()
        assert await inbox.next(len(said)) == said
        await speaker.stop()
    await listener.stop()
    assert inbox.is_empty
    assert speaker.counts.published == 300


async def test_the_queue_is_bounded(redis_url: str, caplog: pytest.LogCaptureFixture) -> None:
    async with proxied(redis_url) as proxy:
        bus = RedisBus(proxy.url, queue=10)
        await bus.start()
        await proxy.down()
        taken = [bus.publish("tea", b"x") for _ in range(15)]
        assert taken == [True] * 10 + [False] * 5
        assert bus.counts.dropped == 5
        await bus.stop()
    # Those that were never sent are not forgotten either.
    assert bus.counts.dropped == 15
    assert bus.counts.published == 0
    assert caplog.text.count("WARNING") == 1


async def test_an_application_starts_without_redis() -> None:
    bus = RedisBus("redis://127.0.0.1:1/0")
    bus.subscribe("tea", Inbox())
    await bus.start()
    # There is nobody to confirm it, and nobody to wait for.
    await bus.settled("tea")
    assert bus.publish("tea", b"x")
    await bus.stop()
    assert bus.counts.dropped == 1


def test_a_queue_has_room() -> None:
    with pytest.raises(ValueError, match="queue must be at least 1, not 0"):
        RedisBus("redis://localhost", queue=0)
