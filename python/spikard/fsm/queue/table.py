"""A table of events, as statements: how events come in, are claimed, and go.

An event is held by at most one worker, and of an entity at most one event is: a unique index over claimed rows sees to
that, whatever two claims at once have read. Order is that of `fires_at`, then of ids, which grow with time. An event
that waits for its next attempt stays due, so that no later one of its entity overtakes it.
"""

import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from spikard.fsm.queue.event import WorkerApplyDataEvent, WorkerEvent
from spikard.fsm.stores.json_text import encoded
from spikard.fsm.stores.lease import extended
from spikard.fsm.stores.sql_outbox import COMPLETED
from spikard.fsm.stores.work import Work

_STATUS = (
    "id, status, machine_name, entity_id, attempt, max_attempts, error_message, result_json, created_at, completed_at, "
    "transition_history_id"
)
# What stands where nobody has said how often an event may be tried: then the worker's settings count.
DEFAULT_ATTEMPTS = 5
_STEP = 256  # nanoseconds: what twelve bits can tell apart within a millisecond
# Rows of one statement: databases take some ten thousand values at most.
_ROWS = 1000
_latest = 0
_lock = threading.Lock()


def ordered_id() -> str:
    """A UUIDv7 that is greater than all this process has made before."""
    global _latest  # noqa: PLW0603 - one order for the whole process
    with _lock:
        _latest = moment = max(time.time_ns() // _STEP, _latest + 1)
    milliseconds, rest = divmod(moment * _STEP, 1_000_000)
    number = int.from_bytes(os.urandom(8), "big") & (1 << 62) - 1
    return str(UUID(int=milliseconds << 80 | 7 << 76 | rest // _STEP << 64 | 0b10 << 62 | number))


@dataclass(frozen=True, slots=True)
class EventTable:
    """The statements of one table."""

    name: str
    body: Literal["context", "data"]

    @property
    def _columns(self) -> str:
        trigger = '"trigger"' if self.body == "context" else "NULL"
        return (
            f"id, machine_name, entity_id, {trigger}, {self.body}_json, attempt, max_attempts, fires_at, claimed_at, "
            "fence"
        )

    def submit(self, event: WorkerEvent | WorkerApplyDataEvent, due: Any) -> Work:
        """Take an event in; its id, or that of the earlier one with the same key. `due` is its time as stored."""
        return (yield from self.submit_many([(event, due)]))[0]

    def submit_many(self, events: Sequence[tuple[WorkerEvent | WorkerApplyDataEvent, Any]]) -> Work:
        """The same for many."""
        ids: list[str] = []
        for first in range(0, len(events), _ROWS):
            ids += yield from self._insert(events[first : first + _ROWS])
        if ids:
            yield "{notify}", (self.name,)
        return ids

    def _insert(self, events: Sequence[tuple[WorkerEvent | WorkerApplyDataEvent, Any]]) -> Work:
        names = ["id", "machine_name", "entity_id", *(["trigger"] if self.body == "context" else []),
                 f"{self.body}_json", "max_attempts", "idempotency_key"]  # fmt: skip
        row = f"({', '.join('?j' if name.endswith('_json') else '?' for name in names)}, COALESCE(?, {{now}}), {{now}})"
        values = [self._values(event, due) for event, due in events]
        # Of the same key in one batch the first counts.
        keys = [about[-2] for about in values]
        first = {key: number for number, key in reversed(list(enumerate(keys))) if key is not None}
        chosen = [v for number, v in enumerate(values) if v[-2] is None or first[v[-2]] == number]
        rows = yield (
            (
                f"INSERT INTO {{s}}{self.name} ({', '.join(_quoted(name) for name in names)}, fires_at, created_at) "
                f"VALUES {', '.join([row] * len(chosen))} ON CONFLICT (idempotency_key) DO NOTHING RETURNING id"
            ),
            tuple(value for about in chosen for value in about),
        )
        fresh = {row[0] for row in rows}
        known = {about[-2]: about[0] for about in chosen if about[0] in fresh}
        for key in {about[-2] for about in chosen if about[0] not in fresh}:
            earlier = yield f"SELECT id FROM {{s}}{self.name} WHERE idempotency_key = ?", (key,)
            known[key] = earlier[0][0]
        return [about[0] if about[-2] is None else known[about[-2]] for about in values]

    def _values(self, event: WorkerEvent | WorkerApplyDataEvent, due: Any) -> tuple[Any, ...]:
        own = (
            (event.trigger, encoded(event.context or {}))
            if isinstance(event, WorkerEvent)
            else (encoded(event.data or {}),)
        )
        return (
            ordered_id(), event.machine_name, event.entity_id, *own, event.max_attempts, event.idempotency_key, due,
        )  # fmt: skip

    def claim(self, worker_id: str, limit: int, lease_seconds: float, attempts: int = DEFAULT_ATTEMPTS) -> Work:
        """Events that are due, of different entities, in their order.

        Those that were submitted without saying how often they may be tried get `attempts`.
        """
        rows = yield (
            (
                f"WITH due AS MATERIALIZED (SELECT d.id FROM {{s}}{self.name} d WHERE d.status = 'pending' "
                "AND d.fires_at <= {now} AND (d.lease_until IS NULL OR d.lease_until <= {now}) "
                f"AND NOT EXISTS (SELECT 1 FROM {{s}}{self.name} o WHERE o.machine_name = d.machine_name "
                "AND o.entity_id = d.entity_id AND o.id <> d.id AND (o.status = 'claimed' OR (o.status = 'pending' "
                "AND o.fires_at <= {now} AND (o.fires_at < d.fires_at OR (o.fires_at = d.fires_at AND o.id < d.id))))) "
                "ORDER BY d.fires_at, d.id LIMIT ? {skip_locked}) "
                f"UPDATE {{s}}{self.name} SET status = 'claimed', claimed_by = ?, claimed_at = {{now}}, "
                "lease_until = {later}, attempt = attempt + 1, fence = fence + 1, "
                f"max_attempts = CASE max_attempts WHEN {DEFAULT_ATTEMPTS} THEN ? ELSE max_attempts END "
                "WHERE id IN (SELECT id FROM due) "
                f"RETURNING {self._columns}"
            ),
            (limit, worker_id, lease_seconds, attempts),
        )
        return sorted(rows, key=lambda row: (row[7], row[0]))

    def complete(self, event_id: str, fence: int | None, result: Any) -> Work:
        """Whether the event was still held by the one with this fence, and is done now."""
        values = f"{COMPLETED}, result_json = ?j"
        given = None if result is None else encoded(result)
        return (yield from self._settle(event_id, fence, values, (given,)))

    def postpone(self, event_id: str, fence: int | None, error: str, seconds: float) -> Work:
        """The same for an event that is to be tried again after some seconds."""
        values = "status = 'pending', claimed_by = NULL, lease_until = {later}, error_message = ?"
        return (yield from self._settle(event_id, fence, values, (seconds, error)))

    def give_up(self, event_id: str, fence: int | None, error: str) -> Work:
        """The same for an event that will not be tried again."""
        values = "status = 'dead_letter', completed_at = {now}, lease_until = NULL, error_message = ?"
        return (yield from self._settle(event_id, fence, values, (error,)))

    def extend(self, event_id: str, fence: int | None, seconds: float) -> Work:
        """The same for an event that is held for longer."""
        return (yield from self._settle(event_id, fence, "lease_until = {later}", (seconds,)))

    def release(self, event_id: str, fence: int | None) -> Work:
        """The same for an event that nobody has begun with: the claim does not count."""
        values = "status = 'pending', claimed_by = NULL, claimed_at = NULL, lease_until = NULL, attempt = attempt - 1"
        return (yield from self._settle(event_id, fence, values, ()))

    def extend_many(self, held: Sequence[tuple[str, int]], seconds: float) -> Work:
        """The same for many at once. What is being settled at this moment is left alone."""
        return extended(self.name, "lease_until", "claimed", held, seconds)

    def _settle(self, event_id: str, fence: int | None, values: str, given: tuple[Any, ...]) -> Work:
        fenced, last = ("", ()) if fence is None else (" AND fence = ?", (fence,))
        rows = yield (
            f"UPDATE {{s}}{self.name} SET {values} WHERE id = ? AND status = 'claimed'{fenced} RETURNING id",
            (*given, event_id, *last),
        )
        return bool(rows)

    def give_back(self) -> Work:
        """Let others have what its holders have let lapse before the last attempt."""
        yield (
            (
                f"UPDATE {{s}}{self.name} SET status = 'pending', claimed_by = NULL, lease_until = NULL "
                "WHERE status = 'claimed' AND lease_until <= {now} AND attempt < max_attempts"
            ),
            (),
        )

    def sweep(self) -> Work:
        """Give back what its holders have let lapse; those that have used up their attempts, which are given up."""
        yield from self.give_back()
        rows = yield (
            (
                f"UPDATE {{s}}{self.name} SET status = 'dead_letter', completed_at = {{now}}, lease_until = NULL, "
                "error_message = 'the worker went away during the last attempt' "
                f"WHERE status = 'claimed' AND lease_until <= {{now}} RETURNING {self._columns}"
            ),
            (),
        )
        return rows

    def pending(self) -> Work:
        """How many wait."""
        rows = yield f"SELECT COUNT(*) FROM {{s}}{self.name} WHERE status = 'pending'", ()
        return rows[0][0]

    def status(self, event_id: str) -> Work:
        """What is known of one event, or None."""
        rows = yield f"SELECT {_STATUS} FROM {{s}}{self.name} WHERE id = ?", (event_id,)
        return rows[0] if rows else None

    def page(self, machine: str | None, entity_id: str | None, status: str | None, limit: int, offset: int) -> Work:
        """Some of the events that fit, the newest first, and how many do."""
        wanted = {"machine_name": machine, "entity_id": entity_id, "status": status}
        given = {name: value for name, value in wanted.items() if value is not None}
        where = "".join(f" AND {name} = ?" for name in given)
        total = yield f"SELECT COUNT(*) FROM {{s}}{self.name} WHERE 1 = 1{where}", tuple(given.values())
        rows = yield (
            (
                f"SELECT {_STATUS} FROM {{s}}{self.name} WHERE 1 = 1{where} ORDER BY created_at DESC, id DESC "
                "LIMIT ? OFFSET ?"
            ),
            (*given.values(), limit, offset),
        )
        return rows, total[0][0]

    def counts(self) -> Work:
        """How many events stand where."""
        rows = yield f"SELECT status, COUNT(*) FROM {{s}}{self.name} GROUP BY status", ()
        return {row[0]: row[1] for row in rows}


EVENTS = EventTable("worker_events", "context")
APPLY_DATA = EventTable("worker_apply_data_events", "data")


def _quoted(name: str) -> str:
    return f'"{name}"'


def moment(value: Any) -> datetime:
    """A moment as databases give it."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value
