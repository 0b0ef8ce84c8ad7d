"""Actions that are still to be done, in this process's memory."""

import threading
import time
from collections.abc import Collection, Mapping

from spikard.fsm.errors import LeaseLostError
from spikard.fsm.stores.row import EntityChange, HeldAction, OutboxRow, Settlement


class _Kept:
    __slots__ = ("attempt", "due", "entity_id", "error", "fence", "is_dead", "machine_name", "row")

    def __init__(self, entity_id: str, machine_name: str | None, row: OutboxRow, due: float) -> None:
        self.entity_id = entity_id
        self.machine_name = machine_name
        self.row = row
        self.due = due
        self.attempt = self.fence = 0
        self.error: str | None = None
        self.is_dead = False


class MemoryOutbox:
    """The outbox of all entities of one store."""

    def __init__(self) -> None:
        self._rows: dict[str, _Kept] = {}
        self._lock = threading.Lock()

    def put(self, change: EntityChange) -> None:
        """Take in what a change wants done."""
        due = time.monotonic() + change.outbox_lease
        machine_name = change.metadata.get("machine_name")
        for row in change.outbox:
            self._rows[row.outbox_id] = _Kept(change.entity_id, machine_name, row, due)

    def check(self, settled: Mapping[str, Settlement]) -> None:
        """`LeaseLostError` where something that has to be held is not."""
        for outbox_id, settlement in settled.items():
            if settlement.fence is None:
                continue
            kept = self._rows.get(outbox_id)
            if kept is None or kept.is_dead or kept.fence != settlement.fence:
                raise LeaseLostError("action", outbox_id)

    def settle(self, settled: Mapping[str, Settlement]) -> None:
        """Forget what is done, and note what has failed."""
        for outbox_id, settlement in settled.items():
            if settlement.status == "done":
                self._rows.pop(outbox_id, None)
            elif (kept := self._rows.get(outbox_id)) is not None:
                kept.error, kept.is_dead = settlement.error, settlement.status == "dead"
                kept.due = time.monotonic() + settlement.pause
                if settlement.fence is None:
                    # It was done in place by whoever has put it in; claims count themselves.
                    kept.attempt += 1

    def claim(self, limit: int, lease_seconds: float, machines: Collection[str] | None) -> list[HeldAction]:
        """Actions that are due, for one deliverer alone."""
        with self._lock:
            now = time.monotonic()
            due = [
                kept
                for kept in list(self._rows.values())
                if not kept.is_dead and kept.due <= now and (machines is None or kept.machine_name in machines)
            ]
            chosen = sorted(due, key=lambda kept: (kept.row.transition_id, kept.row.ordinal))[:limit]
            for kept in chosen:
                kept.due = now + lease_seconds
                kept.attempt += 1
                kept.fence += 1
            return [_held(kept) for kept in chosen]

    def extend(self, held: Mapping[str, int], lease_seconds: float) -> None:
        """Hold actions for longer, by their ids and fences."""
        until = time.monotonic() + lease_seconds
        for outbox_id, fence in held.items():
            kept = self._rows.get(outbox_id)
            if kept is not None and kept.fence == fence:
                kept.due = until

    def revive(self, outbox_id: str) -> bool:
        """Have something that was given up done after all; whether there was such a thing."""
        kept = self._rows.get(outbox_id)
        if kept is None or not kept.is_dead:
            return False
        kept.is_dead, kept.due, kept.attempt = False, time.monotonic(), 0
        return True

    def of(self, entity_id: str) -> list[OutboxRow]:
        """What is still to be done for an entity, in order."""
        rows = [kept.row for kept in list(self._rows.values()) if kept.entity_id == entity_id and not kept.is_dead]
        return sorted(rows, key=lambda row: (row.transition_id, row.ordinal))

    def forget(self, entity_id: str) -> None:
        """Drop all that belongs to an entity."""
        for outbox_id, kept in list(self._rows.items()):
            if kept.entity_id == entity_id:
                self._rows.pop(outbox_id, None)

    def __bool__(self) -> bool:
        return bool(self._rows)


def _held(kept: _Kept) -> HeldAction:
    row = kept.row
    return HeldAction(
        row.outbox_id, kept.entity_id, kept.machine_name, row.transition_id, row.ordinal, row.action, row.about,
        kept.attempt, kept.fence,
    )  # fmt: skip
