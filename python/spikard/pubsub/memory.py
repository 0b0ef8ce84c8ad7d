"""Buses within one process: for tests, and applications that live side by side."""

import asyncio

from spikard.pubsub.protocol import BusCounts, Deliver


class MemoryMedium:
    """What the buses of a process share."""

    def __init__(self) -> None:
        self.buses: list[MemoryBus] = []


class MemoryBus:
    """A bus among those of the same medium; alone on one of its own unless a medium is given."""

    def __init__(self, medium: MemoryMedium | None = None) -> None:
        self._medium = medium or MemoryMedium()
        self._topics: dict[str, list[Deliver]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._counts = BusCounts()

    @property
    def counts(self) -> BusCounts:
        """What has become of messages so far."""
        return self._counts

    async def start(self) -> None:
        """Join the others."""
        if self._loop is not None:
            raise RuntimeError("this bus is running already")
        self._loop = asyncio.get_running_loop()
        self._medium.buses.append(self)

    async def stop(self) -> None:
        """Leave the others."""
        if self._loop is not None:
            self._loop = None
            self._medium.buses.remove(self)

    def subscribe(self, topic: str, deliver: Deliver) -> None:
        """Call `deliver` with what others publish under a topic."""
        self._topics.setdefault(topic, []).append(deliver)

    def unsubscribe(self, topic: str, deliver: Deliver) -> None:
        """Call it no more."""
        delivers = self._topics.get(topic, [])
        if deliver in delivers:
            delivers.remove(deliver)
        if not delivers:
            self._topics.pop(topic, None)

    async def settled(self, topic: str) -> None:
        """Return: subscriptions are in force at once."""

    def publish(self, topic: str, data: bytes) -> bool:
        """Pass a message to all others, in their loops."""
        if self._loop is None:
            self._counts.dropped += 1
            return False
        self._counts.published += 1
        others = [bus for bus in self._medium.buses if bus is not self and topic in bus._topics]
        self._counts.unheard += not others
        for bus in others:
            if bus._loop is not None:
                bus._loop.call_soon_threadsafe(bus._take, topic, data)
        return True

    def _take(self, topic: str, data: bytes) -> None:
        delivers = tuple(self._topics.get(topic, ()))
        if delivers:
            self._counts.received += 1
        else:
            self._counts.unclaimed += 1
        for deliver in delivers:
            deliver(data)


__all__ = ["MemoryBus", "MemoryMedium"]
