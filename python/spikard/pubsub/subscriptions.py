"""What a bus wants to hear, against what its server has been asked for and has confirmed."""

import asyncio
from collections import Counter


class Subscriptions:
    """Which topics are wanted, which Redis has been asked for, and which it has confirmed."""

    def __init__(self) -> None:
        self._wanted: dict[str, None] = {}
        self._asked: set[str] = set()
        # Confirmations that are still to come.
        self._coming: Counter[str] = Counter()
        self._waiting: dict[str, list[asyncio.Future[None]]] = {}
        self._changed = asyncio.Event()
        self._is_connected = False

    def want(self, topic: str) -> None:
        """Ask for a topic."""
        self._wanted[topic] = None
        self._changed.set()

    def drop(self, topic: str) -> None:
        """Ask for it no more."""
        self._wanted.pop(topic, None)
        self._changed.set()

    def connected(self) -> None:
        """Begin with a connection that has been asked for nothing."""
        self._is_connected = True
        self._asked.clear()
        self._coming.clear()
        # Another loop may have waited for the old one.
        self._changed = asyncio.Event()
        self._changed.set()

    def disconnected(self) -> None:
        """Let those go who wait for a confirmation."""
        self._is_connected = False
        for topic in tuple(self._waiting):
            self._tell(topic)

    async def next(self) -> tuple[list[str], list[str]]:
        """What to subscribe to, and what to leave, as soon as there is something."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            wanted = [topic for topic in self._wanted if topic not in self._asked]
            unwanted = [topic for topic in self._asked if topic not in self._wanted]
            self._asked.difference_update(unwanted)
            self._asked.update(wanted)
            self._coming.update(wanted)
            if wanted or unwanted:
                return wanted, unwanted

    def confirm(self, topic: str) -> None:
        """Note that Redis has carried out a subscription."""
        self._coming[topic] -= 1
        if self._coming[topic] <= 0:
            del self._coming[topic]
            self._tell(topic)

    def is_confirmed(self, topic: str) -> bool:
        """Whether Redis counts us among those who listen."""
        return self._is_connected and topic in self._asked and topic not in self._coming

    async def settled(self, topic: str) -> None:
        """Wait for the confirmation, if one can come."""
        if self._is_connected and topic in self._wanted and not self.is_confirmed(topic):
            told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.setdefault(topic, []).append(told)
            await told

    def _tell(self, topic: str) -> None:
        for told in self._waiting.pop(topic, ()):
            if not told.done():
                told.set_result(None)


__all__ = ["Subscriptions"]
