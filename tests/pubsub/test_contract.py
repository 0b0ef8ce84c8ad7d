"""What every bus does, whatever its medium."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from spikard.pubsub import Bus
from tests.pubsub.conftest import MakeBus
from tests.pubsub.inbox import Inbox

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def running(*buses: Bus) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        for bus in buses:
            await bus.start()
            stack.push_async_callback(bus.stop)
        yield


async def subscribed(bus: Bus, topic: str) -> Inbox:
    inbox = Inbox()
    bus.subscribe(topic, inbox)
    await bus.settled(topic)
    return inbox


async def test_a_message_reaches_all_others_in_order(make_bus: MakeBus) -> None:
    speaker, first, second = make_bus(), make_bus(), make_bus()
    async with running(speaker, first, second):
        inboxes = [await subscribed(bus, "tea") for bus in (first, second)]
        own = await subscribed(speaker, "tea")
        said = [b"%d" % number for number in range(300)]
        assert all(speaker.publish("tea", message) for message in said)
        assert [await inbox.next(300) for inbox in inboxes] == [said, said]
        # Whoever publishes is left out, but hears the others.
        assert own.is_empty
        assert first.publish("tea", b"answer")
        assert await own.next() == [b"answer"]
    assert (speaker.counts.published, speaker.counts.received, speaker.counts.unheard) == (300, 1, 0)
    assert first.counts.received == 300


async def test_topics_are_apart(make_bus: MakeBus) -> None:
    speaker, listener = make_bus(), make_bus()
    async with running(speaker, listener):
        tea, coffee = await subscribed(listener, "tea"), await subscribed(listener, "coffee: \N{HOT BEVERAGE}")
        speaker.publish("tea", b"1")
        speaker.publish("coffee: \N{HOT BEVERAGE}", bytes(range(256)))
        assert await coffee.next() == [bytes(range(256))]
        assert await tea.next() == [b"1"]
        assert tea.is_empty


async def test_all_subscribers_of_a_bus_are_called(make_bus: MakeBus) -> None:
    speaker, listener = make_bus(), make_bus()
    async with running(speaker, listener):
        first, second = await subscribed(listener, "tea"), await subscribed(listener, "tea")
        speaker.publish("tea", b"1")
        assert [await first.next(), await second.next()] == [[b"1"], [b"1"]]
        listener.unsubscribe("tea", first)
        speaker.publish("tea", b"2")
        assert await second.next() == [b"2"]
        assert first.is_empty


async def test_subscriptions_may_come_and_go(make_bus: MakeBus) -> None:
    speaker, listener = make_bus(), make_bus()
    async with running(speaker, listener):
        for number in range(20):
            inbox = await subscribed(listener, "tea")
            speaker.publish("tea", b"%d" % number)
            assert await inbox.next() == [b"%d" % number]
            listener.unsubscribe("tea", inbox)
    assert listener.counts.received == 20


async def test_subscriptions_outlive_a_stop(make_bus: MakeBus) -> None:
    speaker, listener = make_bus(), make_bus()
    inbox = Inbox()
    listener.subscribe("tea", inbox)
    for message in (b"1", b"2"):
        async with running(speaker, listener):
            await listener.settled("tea")
            speaker.publish("tea", message)
            assert await inbox.next() == [message]


async def test_what_nobody_hears_is_counted(make_bus: MakeBus) -> None:
    speaker, listener = make_bus(), make_bus()
    async with running(speaker, listener):
        own, inbox = await subscribed(speaker, "nobody"), await subscribed(listener, "tea")
        speaker.publish("nobody", b"lost")
        speaker.publish("tea", b"heard")
        await inbox.next()
    assert own.is_empty
    assert (speaker.counts.published, speaker.counts.unheard) == (2, 1)


async def test_a_bus_that_is_not_running_drops_and_counts(make_bus: MakeBus) -> None:
    bus = make_bus()
    assert not bus.publish("tea", b"1")
    assert (bus.counts.dropped, bus.counts.published) == (1, 0)


async def test_a_bus_runs_once(make_bus: MakeBus) -> None:
    bus = make_bus()
    async with running(bus):
        with pytest.raises(RuntimeError, match="running already"):
            await bus.start()
    await bus.stop()
