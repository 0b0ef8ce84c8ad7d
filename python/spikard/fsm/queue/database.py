"""Events in a database, for any number of workers."""

import asyncio
import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from spikard.fsm.queue.event import ClaimedApplyDataEvent, ClaimedEvent, WorkerApplyDataEvent, WorkerEvent, in_utc
from spikard.fsm.queue.source import EventSource
from spikard.fsm.queue.table import APPLY_DATA, EVENTS, EventTable, moment
from spikard.fsm.stores.factory import unconnected_state_store
from spikard.fsm.stores.json_text import decoded
from spikard.fsm.stores.sql import SqlStateStore
from spikard.fsm.stores.work import Work
from spikard.fsm.worker.config import WorkerConfig

# Claims that collide are made again; who loses this often in a row looks again with the next poll.
COLLISIONS = 5
# What databases say where a unique index was in the way.
UNIQUE_VIOLATION = "23505"


class EventQueue:
    """One table of events in a database that is connected when it is first used."""

    def __init__(self, table: EventTable, store: SqlStateStore, config: WorkerConfig) -> None:
        self.table = table
        self.store = store
        self._config = config
        # Fences of events claimed here, for those who settle them by their id alone.
        self._fences: dict[str, tuple[int, int, int]] = {}
        self._lock = threading.Lock()
        self._is_connected = False
        self._next_look = 0.0

    def connect(self) -> None:
        """Connect the database, where that was not done yet."""
        with self._lock:
            if not self._is_connected:
                self.store.connect()
                self._is_connected = True

    def disconnect(self) -> None:
        """Close all connections."""
        with self._lock:
            self._is_connected = False
            self.store.disconnect()

    def do(self, work: Callable[[], Work]) -> Any:
        """Do work in a transaction of its own."""
        self.connect()
        return self.store._run("write", work)

    async def ado(self, work: Callable[[], Work]) -> Any:
        """`do`, awaited."""
        if not self._is_connected:
            await asyncio.to_thread(self.connect)
        return await self.store._arun("write", work)

    def submission(self, event: WorkerEvent | WorkerApplyDataEvent) -> Work:
        """The work of taking an event in."""
        return self.table.submit(event, self._due(event))

    def submissions(self, events: Sequence[WorkerEvent] | Sequence[WorkerApplyDataEvent]) -> Work:
        """The work of taking many events in."""
        return self.table.submit_many([(event, self._due(event)) for event in events])

    def _due(self, event: WorkerEvent | WorkerApplyDataEvent) -> Any:
        return self.store._time(None if event.fires_at is None else in_utc(event.fires_at))

    async def claim(self, worker_id: str, limit: int) -> list[tuple[Any, ...]]:
        """Rows of events that are this worker's now."""
        lease = float(self._config.claim_lease_timeout_s)
        is_data = self.table.body == "data"
        attempts = self._config.apply_data_max_attempts if is_data else self._config.max_attempts
        for _ in range(COLLISIONS):
            try:
                rows = await self.ado(lambda: self.table.claim(worker_id, limit, lease, attempts))
            except Exception as error:
                if getattr(error, "sqlstate", None) != UNIQUE_VIOLATION:
                    raise
                continue
            for row in rows:
                self._fences[row[0]] = row[9], row[5], row[6]
            return [tuple(row) for row in rows]
        return []

    async def complete(self, event_id: str, result: Any, fence: int | None = None) -> bool:
        """Done; False when somebody else holds the event by now."""
        known = self._known(event_id, fence)
        return bool(await self.ado(lambda: self.table.complete(event_id, known, result)))

    async def fail(self, event_id: str, error: str, *, retry: bool, fence: int | None = None) -> bool:
        """To be tried again later, or given up; whether it was given up."""
        _, attempt, most = self._fences.get(event_id, (0, 1, self._config.max_attempts))
        known = self._known(event_id, fence)
        if retry and attempt < most:
            await self.ado(lambda: self.table.postpone(event_id, known, error, self.pause(attempt)))
            return False
        return bool(await self.ado(lambda: self.table.give_up(event_id, known, error)))

    async def extend(self, event_id: str, fence: int | None = None) -> bool:
        """Held for longer; False when somebody else holds the event by now."""
        held = self._fences.get(event_id, (fence,))[0] if fence is None else fence
        lease = float(self._config.claim_lease_timeout_s)
        return bool(await self.ado(lambda: self.table.extend(event_id, held, lease)))

    async def extend_many(self, held: Sequence[tuple[str, int]]) -> None:
        """The same for many, by their ids and fences."""
        lease = float(self._config.claim_lease_timeout_s)
        await self.ado(lambda: self.table.extend_many(held, lease))

    async def release(self, event_id: str, fence: int | None = None) -> None:
        """Given back as if it had not been claimed."""
        known = self._known(event_id, fence)
        await self.ado(lambda: self.table.release(event_id, known))

    async def sweep(self) -> list[tuple[Any, ...]]:
        """Take what lapsed from those who hold it; the rows of what was given up."""
        return [tuple(row) for row in await self.ado(self.table.sweep)]

    async def give_back(self) -> None:
        """Let others have what lapsed, a few times within each lease: for those who claim without a worker's sweeps."""
        now = time.monotonic()
        if now >= self._next_look:
            self._next_look = now + self._config.claim_lease_timeout_s / 4
            await self.ado(self.table.give_back)

    def forget(self, event_id: str, fence: int) -> None:
        """Forget a claim that was settled elsewhere; a later claim of the same event stays."""
        if self._fences.get(event_id, (None,))[0] == fence:
            del self._fences[event_id]

    def pause(self, attempt: int) -> float:
        """Seconds before the next attempt: longer each time up to an end, and not the same for all."""
        base, most = self._config.retry_backoff_base_ms, self._config.retry_backoff_max_ms
        milliseconds: int = min(base * 2 ** min(attempt - 1, 40), most)
        return milliseconds / 1000 * random.uniform(1.0, 1.1)  # noqa: S311 - no secret

    def _known(self, event_id: str, fence: int | None) -> int | None:
        found = self._fences.pop(event_id, None)
        return fence if fence is not None or found is None else found[0]


class _DatabaseSource:
    """What both sources share."""

    def __init__(self, db_url: str, config: WorkerConfig | None, table: EventTable, store: Any = None) -> None:
        self.config = config or WorkerConfig(db_url=db_url)
        self._owns_store = store is None
        found = unconnected_state_store(db_url) if store is None else store
        if not isinstance(found, SqlStateStore):
            raise ValueError(f"events wait in SQLite or PostgreSQL, not in {type(found).__name__}; pass such a URL")
        self.queue = EventQueue(table, found, self.config)

    async def complete(self, event_id: str, result: Any = None, *, fence: int | None = None) -> None:
        """An event was brought to its entity; does nothing when it is somebody else's by now."""
        await self.queue.complete(event_id, result, fence)

    async def fail(self, event_id: str, error: str, *, retry: bool = True, fence: int | None = None) -> None:
        """An event could not be brought to its entity; without `retry`, or after the last attempt, for good."""
        await self.queue.fail(event_id, error, retry=retry, fence=fence)

    async def extend(self, event_id: str, *, fence: int | None = None) -> bool:
        """Hold an event for another lease; False when it is somebody else's by now."""
        return await self.queue.extend(event_id, fence)

    async def health_check(self) -> bool:
        """Whether the database answers."""
        try:
            await self.pending_count()
        except Exception:  # noqa: BLE001 - whatever it is, the database is of no use now
            return False
        return True

    async def pending_count(self) -> int:
        """How many events wait."""
        found: int = await self.queue.ado(self.queue.table.pending)
        return found

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.to_thread(self.close_sync)

    def close_sync(self) -> None:
        """`close`, on this thread."""
        if self._owns_store:
            self.queue.disconnect()


class DatabaseEventSource(_DatabaseSource, EventSource):
    """Events in `worker_events` of an SQLite or PostgreSQL database."""

    def __init__(self, db_url: str, config: WorkerConfig | None = None, *, store: Any = None) -> None:
        super().__init__(db_url, config, EVENTS, store)

    async def submit(self, event: WorkerEvent) -> str:
        """Take an event in; its id, or that of the event which came before with the same idempotency key."""
        event_id: str = await self.queue.ado(lambda: self.queue.submission(event))
        return event_id

    async def submit_many(self, events: Sequence[WorkerEvent]) -> list[str]:
        """The same for many, in one transaction: their ids in the order of the events."""
        ids: list[str] = await self.queue.ado(lambda: self.queue.submissions(events))
        return ids

    def submit_sync(self, event: WorkerEvent) -> str:
        """`submit`, on this thread."""
        event_id: str = self.queue.do(lambda: self.queue.submission(event))
        return event_id

    async def claim_next(self, worker_id: str) -> ClaimedEvent | None:
        """An event that is due, for this worker alone."""
        await self.queue.give_back()
        return next(iter(await self.claim_batch(worker_id, 1)), None)

    async def claim_batch(self, worker_id: str, n: int) -> list[ClaimedEvent]:
        """Up to `n` events that are due, of as many entities, in their order."""
        return self.claimed(await self.queue.claim(worker_id, n))

    @staticmethod
    def claimed(rows: list[tuple[Any, ...]]) -> list[ClaimedEvent]:
        """Rows as what workers hold."""
        return [claimed_event(row) for row in rows]


class DatabaseApplyDataEventSource(_DatabaseSource):
    """Data for entities in `worker_apply_data_events` of an SQLite or PostgreSQL database."""

    def __init__(self, db_url: str, config: WorkerConfig | None = None, *, store: Any = None) -> None:
        super().__init__(db_url, config, APPLY_DATA, store)

    async def submit(self, event: WorkerApplyDataEvent) -> str:
        """Take data in; the id, or that of what came before with the same idempotency key."""
        event_id: str = await self.queue.ado(lambda: self.queue.submission(event))
        return event_id

    async def submit_many(self, events: Sequence[WorkerApplyDataEvent]) -> list[str]:
        """The same for many, in one transaction: their ids in the order of the events."""
        ids: list[str] = await self.queue.ado(lambda: self.queue.submissions(events))
        return ids

    def submit_sync(self, event: WorkerApplyDataEvent) -> str:
        """`submit`, on this thread."""
        event_id: str = self.queue.do(lambda: self.queue.submission(event))
        return event_id

    async def claim_next(self, worker_id: str) -> ClaimedApplyDataEvent | None:
        """Data that is due, for this worker alone."""
        await self.queue.give_back()
        return next(iter(await self.claim_batch(worker_id, 1)), None)

    async def claim_batch(self, worker_id: str, n: int) -> list[ClaimedApplyDataEvent]:
        """Data for up to `n` entities that is due, in its order."""
        return self.claimed(await self.queue.claim(worker_id, n))

    @staticmethod
    def claimed(rows: list[tuple[Any, ...]]) -> list[ClaimedApplyDataEvent]:
        """Rows as what workers hold."""
        return [claimed_data(row) for row in rows]


def claimed_event(row: tuple[Any, ...]) -> ClaimedEvent:
    """A row of `worker_events` as what a worker holds."""
    event_id, machine, entity_id, trigger, context, attempt, most, fires_at, claimed_at, fence = row
    times = moment(fires_at), moment(claimed_at)
    return ClaimedEvent(event_id, machine, entity_id, trigger, decoded(context) or {}, attempt, most, *times, fence)


def claimed_data(row: tuple[Any, ...]) -> ClaimedApplyDataEvent:
    """A row of `worker_apply_data_events` as what a worker holds."""
    event_id, machine, entity_id, _, data, attempt, most, fires_at, claimed_at, fence = row
    times = moment(fires_at), moment(claimed_at)
    return ClaimedApplyDataEvent(event_id, machine, entity_id, decoded(data) or {}, attempt, most, *times, fence)
