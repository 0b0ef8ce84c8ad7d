"""What workers take events from."""

from abc import ABC, abstractmethod
from typing import Any

from spikard.fsm.queue.event import ClaimedEvent, WorkerEvent


class EventSource(ABC):
    """Holds events for workers. Sources need the abstract methods only; the others make them quicker and safer."""

    @abstractmethod
    async def submit(self, event: WorkerEvent) -> str:
        """Take an event in; its id, or that of the event which came before with the same idempotency key."""

    @abstractmethod
    async def claim_next(self, worker_id: str) -> ClaimedEvent | None:
        """An event that is due, for this worker alone."""

    @abstractmethod
    async def complete(self, event_id: str, result: Any = None) -> None:
        """An event was brought to its entity."""

    @abstractmethod
    async def fail(self, event_id: str, error: str, *, retry: bool = True) -> None:
        """An event could not be brought to its entity; without `retry`, or after the last attempt, for good."""

    @abstractmethod
    async def health_check(self) -> bool:
        """Whether the source answers."""

    async def pending_count(self) -> int:
        """How many events wait; -1 for a source that does not count."""
        return -1

    async def close(self) -> None:  # noqa: B027 - a source without connections has nothing to do
        """Let go of all connections."""

    async def claim_batch(self, worker_id: str, n: int) -> list[ClaimedEvent]:
        """Up to `n` events that are due, of as many entities."""
        events: list[ClaimedEvent] = []
        while len(events) < n and (event := await self.claim_next(worker_id)) is not None:
            events.append(event)
        return events

    async def extend(self, event_id: str) -> bool:  # noqa: ARG002 - a source without leases holds events for good
        """Hold an event for longer; False when it is no longer held."""
        return True
