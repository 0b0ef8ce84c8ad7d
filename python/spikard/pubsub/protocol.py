"""What carries messages from one process to the others."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

# Takes what has been published; called on the loop's thread, and must not wait.
Deliver = Callable[[bytes], None]


@dataclass(slots=True)
class BusCounts:
    """What has become of messages since a bus was made; nothing is lost without being counted here.

    Only what a medium says or does while there is no connection to it is known to nobody.
    """

    published: int = 0
    """Given to the medium."""
    unheard: int = 0
    """Those of them that no other bus listened to."""
    received: int = 0
    """Come from other buses, for somebody here."""
    unclaimed: int = 0
    """Come when nobody here listened to their topic any more."""
    dropped: int = 0
    """Never given to the medium: the queue was full, or the bus stopped before it could."""
    reconnects: int = 0
    """Connections after the first one."""


class Bus(Protocol):
    """One process' place on a medium that several share.

    What is published reaches the subscribers on all other buses, at most once, in the order of publication;
    those on the same bus are left out, for whoever publishes there can tell them directly.
    """

    @property
    def counts(self) -> BusCounts:
        """What has become of messages so far."""

    async def start(self) -> None:
        """Begin to carry messages, in the running loop. A medium that is away is waited for in the background."""

    async def stop(self) -> None:
        """Give what is queued to the medium, as far as it takes it at once, and end."""

    def subscribe(self, topic: str, deliver: Deliver) -> None:
        """Call `deliver` with what others publish under a topic, from the moment `settled` tells."""

    def unsubscribe(self, topic: str, deliver: Deliver) -> None:
        """Call it no more."""

    async def settled(self, topic: str) -> None:
        """Wait until a subscription is in force; returns also when the medium is away, or nobody subscribed."""

    def publish(self, topic: str, data: bytes) -> bool:
        """Queue a message for all others; False if the queue is full, or the bus is not running."""


__all__ = ["Bus", "BusCounts", "Deliver"]
