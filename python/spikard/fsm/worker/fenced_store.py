"""An entity's step and the end of its event, kept as one.

A worker that dies after the step leaves a finished event; one that dies before leaves both undone; and one that has
lost its lease keeps nothing. So every event counts once, however often it is delivered.
"""

from contextvars import ContextVar
from typing import Any

from spikard.fsm.queue.table import EventTable
from spikard.fsm.stores.row import EntityChange, EntityRow
from spikard.fsm.stores.sql import SqlStateStore, Work


class LeaseLostError(Exception):
    """The event belongs to another worker by now; nothing was kept."""


class Delivery:
    """An event that is being brought to its entity. Settled means that its end is kept."""

    __slots__ = ("event_id", "fence", "is_settled", "result", "table")

    def __init__(self, table: EventTable, event_id: str, fence: int) -> None:
        self.table = table
        self.event_id = event_id
        self.fence = fence
        self.is_settled = False
        self.result: dict[str, Any] | None = None


current_delivery: ContextVar[Delivery | None] = ContextVar("current_delivery", default=None)


class FencedStore:
    """A store whose steps end the event that has caused them."""

    def __init__(self, store: SqlStateStore) -> None:
        self.store = store

    @property
    def capabilities(self) -> frozenset[str]:
        """What may be relied on."""
        return self.store.capabilities

    def load(self, entity_id: str) -> EntityRow:
        """All that is kept of an entity, in one read."""
        return self.store.load(entity_id)

    async def aload(self, entity_id: str) -> EntityRow:
        """`load`, awaited."""
        return await self.store.aload(entity_id)

    def commit(self, change: EntityChange) -> int:
        """Keep a change, and with it the end of the event; the new version."""
        delivery = _ended_by(change)
        if delivery is None:
            return self.store.commit(change)
        version: int = self.store._run("write", lambda: self._work(delivery, change))
        delivery.is_settled = True
        return version

    async def acommit(self, change: EntityChange) -> int:
        """`commit`, awaited."""
        delivery = _ended_by(change)
        if delivery is None:
            return await self.store.acommit(change)
        version: int = await self.store._arun("write", lambda: self._work(delivery, change))
        delivery.is_settled = True
        return version

    def _work(self, delivery: Delivery, change: EntityChange) -> Work:
        version = yield from self.store._commit(change)
        delivery.result = result_of(change)
        if not (yield from delivery.table.complete(delivery.event_id, delivery.fence, delivery.result)):
            raise LeaseLostError(f"event {delivery.event_id} is held by another worker")
        return version


def result_of(change: EntityChange) -> dict[str, Any]:
    """What is kept of the outcome of an event."""
    result = {"source_state": change.metadata.get("source_state"), "target_state": change.metadata.get("target_state")}
    if change.transitions:
        result["transition_id"] = change.transitions[0].transition_id
    return {**result, "success": True}


def _ended_by(change: EntityChange) -> Delivery | None:
    # What actions write back afterwards comes without a state.
    delivery = current_delivery.get()
    return None if delivery is None or delivery.is_settled or change.state is None else delivery
