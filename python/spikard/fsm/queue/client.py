"""Data for entities that workers merge, and what has become of it."""

import threading
import time
from abc import ABC, abstractmethod
from datetime import datetime
from typing import Any

from spikard.fsm.queue.database import DatabaseApplyDataEventSource
from spikard.fsm.queue.event import WorkerApplyDataEvent
from spikard.fsm.queue.status import QueueEventsPage, QueueEventState, QueueEventStatus, QueueSummary
from spikard.fsm.queue.table import moment, ordered_id
from spikard.fsm.stores.json_text import decoded

_STATES = {
    "pending": QueueEventState.QUEUED,
    "claimed": QueueEventState.CLAIMED,
    "completed": QueueEventState.SUCCEEDED,
    "failed": QueueEventState.FAILED,
    "dead_letter": QueueEventState.DEAD_LETTER,
}
_STATUSES = {state: status for status, state in _STATES.items()}
_SETTLED = frozenset({QueueEventState.SUCCEEDED, QueueEventState.FAILED, QueueEventState.DEAD_LETTER})


class QueueBackend(ABC):
    """Where submitted data waits."""

    @abstractmethod
    def submit(self, event: WorkerApplyDataEvent) -> str:
        """Take data in; its id."""

    @abstractmethod
    def status(self, event_id: str) -> QueueEventStatus | None:
        """What has become of it."""

    @abstractmethod
    def page(
        self, machine: str | None, entity_id: str | None, state: QueueEventState | None, limit: int, offset: int
    ) -> QueueEventsPage:
        """Some of what fits."""

    @abstractmethod
    def counts(self) -> dict[QueueEventState, int]:
        """How much stands where."""

    @abstractmethod
    def close(self) -> None:
        """Let go of all connections."""


class QueueClient:
    """Submits data for entities, and follows what becomes of it."""

    def __init__(self, *, backend: QueueBackend) -> None:
        self._backend = backend

    @classmethod
    def from_url(cls, db_url: str) -> "QueueClient":
        """In an SQLite or PostgreSQL database, where workers find it."""
        return cls(backend=_InDatabase(db_url))

    @classmethod
    def in_memory(cls) -> "QueueClient":
        """In this process's memory, where nobody takes it from: for tests."""
        return cls(backend=_InMemory())

    def submit_apply_data(
        self,
        *,
        machine: str,
        entity_id: str,
        data: dict[str, Any] | None = None,
        idempotency_key: str | None = None,
        max_attempts: int = 5,
        fires_at: datetime | None = None,
    ) -> str:
        """Have a worker merge data into an entity's context; the id, the same for the same idempotency key."""
        return self._backend.submit(
            WorkerApplyDataEvent(machine, entity_id, data, fires_at, idempotency_key, max_attempts)
        )

    def get_event_status(self, event_id: str) -> QueueEventStatus | None:
        """What has become of something submitted; None where nothing is known of it."""
        return self._backend.status(event_id)

    def wait_for_event(
        self, event_id: str, *, timeout_s: float = 30.0, poll_interval_s: float = 0.5
    ) -> QueueEventStatus | None:
        """The same once it is settled, or as it stands when the time is up."""
        deadline = time.monotonic() + timeout_s
        while True:
            status = self.get_event_status(event_id)
            left = deadline - time.monotonic()
            if (status is not None and status.state in _SETTLED) or left <= 0:
                return status
            time.sleep(min(poll_interval_s, left))

    def list_events(
        self,
        *,
        machine: str | None = None,
        entity_id: str | None = None,
        state: QueueEventState | str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> QueueEventsPage:
        """Some of what fits, from a database the newest first, from memory in the order in which it came."""
        wanted = None if state is None else QueueEventState(state)
        return self._backend.page(machine, entity_id, wanted, limit, offset)

    def get_summary(self) -> QueueSummary:
        """How much stands where."""
        counts = self._backend.counts()
        return QueueSummary(**{state.value: number for state, number in counts.items()}, total=sum(counts.values()))

    def close(self) -> None:
        """Close all connections."""
        self._backend.close()


class _InDatabase(QueueBackend):
    def __init__(self, db_url: str) -> None:
        self._source = DatabaseApplyDataEventSource(db_url)
        self._queue = self._source.queue

    def submit(self, event: WorkerApplyDataEvent) -> str:
        return self._source.submit_sync(event)

    def status(self, event_id: str) -> QueueEventStatus | None:
        row = self._queue.do(lambda: self._queue.table.status(event_id))
        return None if row is None else _status(row)

    def page(
        self, machine: str | None, entity_id: str | None, state: QueueEventState | None, limit: int, offset: int
    ) -> QueueEventsPage:
        status = None if state is None else _STATUSES[state]
        rows, total = self._queue.do(lambda: self._queue.table.page(machine, entity_id, status, limit, offset))
        return QueueEventsPage([_status(row) for row in rows], total, limit, offset)

    def counts(self) -> dict[QueueEventState, int]:
        found: dict[str, int] = self._queue.do(self._queue.table.counts)
        return {_STATES[status]: number for status, number in found.items()}

    def close(self) -> None:
        self._source.close_sync()


class _InMemory(QueueBackend):
    def __init__(self) -> None:
        self._events: dict[str, QueueEventStatus] = {}
        self._keys: dict[str, str] = {}
        self._lock = threading.Lock()

    def submit(self, event: WorkerApplyDataEvent) -> str:
        with self._lock:
            key = event.idempotency_key
            if key is not None and key in self._keys:
                return self._keys[key]
            event_id = ordered_id()
            if key is not None:
                self._keys[key] = event_id
            self._events[event_id] = QueueEventStatus(
                event_id, QueueEventState.QUEUED, event.machine_name, event.entity_id, 0, event.max_attempts
            )
            return event_id

    def status(self, event_id: str) -> QueueEventStatus | None:
        return self._events.get(event_id)

    def page(
        self, machine: str | None, entity_id: str | None, state: QueueEventState | None, limit: int, offset: int
    ) -> QueueEventsPage:
        with self._lock:
            events = [
                event
                for event in self._events.values()
                if machine in (None, event.machine) and entity_id in (None, event.entity_id)
                if state in (None, event.state)
            ]
        return QueueEventsPage(events[offset : offset + limit], len(events), limit, offset)

    def counts(self) -> dict[QueueEventState, int]:
        return {QueueEventState.QUEUED: len(self._events)} if self._events else {}

    def close(self) -> None:
        return


def _status(row: Any) -> QueueEventStatus:
    event_id, status, machine, entity_id, attempt, most, error, result, created_at, completed_at, history_id = row
    done = None if completed_at is None else moment(completed_at)
    return QueueEventStatus(
        event_id, _STATES[status], machine, entity_id, attempt, most, error, decoded(result), moment(created_at), done,
        history_id,
    )  # fmt: skip
