"""Timers in the database of the entities."""

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from spikard.fsm.clock import Clock
from spikard.fsm.schedulers.due_timer import DueTimer, TimerTarget
from spikard.fsm.schedulers.durable import FINISHED_KEPT_SECONDS, DurableScheduler, entered
from spikard.fsm.schedulers.restoring import RestorePolicy, restored
from spikard.fsm.schedulers.task import ScheduledTask, TaskStatus
from spikard.fsm.stores import timer_statements
from spikard.fsm.stores.factory import unconnected_state_store
from spikard.fsm.stores.row import TimerRow
from spikard.fsm.stores.sql import SqlStateStore
from spikard.fsm.stores.work import Mode, Row, Work

# How many looks in a row may be missing before timers count as not looked after.
LOOKS_MISSED = 4


class SqlScheduler(DurableScheduler):
    """Fires what steps have armed in `fsm_timers`, and what is scheduled there, of SQLite or PostgreSQL.

    Where the entities are in the same database, a timer ends in the transaction of the step that it causes: it fires
    once, whatever happens to the process. Any number of schedulers and workers may share the table.
    """

    def __init__(
        self,
        database: str | SqlStateStore,
        *,
        runtime: Any = None,
        poll_interval_ms: int = 500,
        lease_seconds: float = 60.0,
        concurrency: int = 50,
        max_attempts: int = 5,
        timers: RestorePolicy = "resume",
        clock: Clock | None = None,
    ) -> None:
        super().__init__(
            runtime=runtime, poll_interval_ms=poll_interval_ms, lease_seconds=lease_seconds, concurrency=concurrency,
            max_attempts=max_attempts, timers=timers, clock=clock,
        )  # fmt: skip
        self._owns_store = isinstance(database, str)
        store = unconnected_state_store(database) if isinstance(database, str) else database
        if not isinstance(store, SqlStateStore):
            raise ValueError(f"timers are kept in SQLite or PostgreSQL, not in {type(store).__name__}")
        self._store = store
        self._is_simulated = clock is not None
        self._connecting = threading.Lock()
        self._is_connected = not self._owns_store
        self._forgot_at: datetime | None = None

    def finds_timers_of(self, store: Any) -> bool:
        """Whether what a store arms is found by looking, so that nobody has to tell of it."""
        return self.shares(store)

    def shares(self, store: Any) -> bool:
        """Whether a store is in the database of the timers."""
        found = getattr(store, "store", store)
        same = getattr(found, "connection_string", None) == self._store.connection_string
        return found is self._store or (same and ":memory:" not in str(self._store.connection_string))

    async def close(self) -> None:
        """Fire no more here, and close the connections that are the scheduler's own."""
        await super().close()
        if self._owns_store and self._is_connected:
            self._is_connected = False
            await asyncio.to_thread(self._store.disconnect)

    async def cancel(self, task_id: str) -> bool:
        """Do not fire it; whether it was still waiting."""
        self._callbacks.pop(task_id, None)
        return bool(await self._do(lambda: timer_statements.cancel(task_id)))

    async def cancel_for_entity(self, entity_id: str) -> int:
        """Fire nothing for an entity; how many waited."""
        return int(await self._do(lambda: timer_statements.cancel_for_entity(entity_id)))

    async def get_task(self, task_id: str) -> ScheduledTask | None:
        """A task that waits, or one that was scheduled here and ended less than an hour ago."""
        row = await self._do(lambda: timer_statements.find(task_id), "read")
        return None if row is None else _task(row)

    async def get_pending_tasks(self, entity_id: str | None = None) -> list[ScheduledTask]:
        """Those that wait, of one entity or of all, the earliest first."""
        return [_task(row) for row in await self._do(lambda: timer_statements.pending(entity_id), "read")]

    async def _keep(self, task: ScheduledTask, machine: str | None, key: str | None, owner: str | None) -> None:
        assert task.fires_at is not None  # noqa: S101 - `schedule` has set it
        row = TimerRow(
            key or f"#{task.task_id}", task.event, task.fires_at, entered(task.metadata), task.delay_ms,
            task.metadata.get("payload"),
        )  # fmt: skip

        def work() -> Work:
            yield from timer_statements.arm(
                task.entity_id, machine, row, self._store._time, task_id=task.task_id, metadata=task.metadata,
                owner=owner,
            )  # fmt: skip
            yield "{notify}", (timer_statements.TABLE,)

        await self._do(work)

    async def _claim(self, limit: int) -> list[DueTimer]:
        return await self._claimed(limit, None)

    async def claim_task(self, task_id: str) -> DueTimer | None:
        """One timer, if it is due and nobody holds it."""
        return next(iter(await self._claimed(1, task_id)), None)

    async def _claimed(self, limit: int, task_id: str | None) -> list[DueTimer]:
        now = self._simulated_now()
        rows = await self._do(
            lambda: timer_statements.claim(
                self.instance, limit, self._lease_seconds, now, machines=self.machines, task_id=task_id
            )
        )
        return [due_timer(row) for row in rows]

    async def _extend(self, timer: DueTimer) -> None:
        await self._do(lambda: timer_statements.extend(timer.task_id, timer.fence or 0, self._lease_seconds))

    async def _finish(self, timer: DueTimer, status: TaskStatus, error: str | None) -> None:
        await self._do(lambda: timer_statements.finish(timer.task_id, timer.fence or 0, status.value, error))

    async def _postpone(self, timer: DueTimer, seconds: float, error: str) -> None:
        await self._do(lambda: timer_statements.postpone(timer.task_id, timer.fence or 0, error, seconds))

    async def _release(self, timer: DueTimer) -> None:
        await self._do(lambda: timer_statements.release(timer.task_id, timer.fence or 0))

    async def _next_due(self) -> datetime | None:
        return moment(await self._do(lambda: timer_statements.next_due(self._simulated_now()), "read"))

    def _simulated_now(self) -> Any:
        # Otherwise the database's own time counts, the same for all who look.
        return self._store._time(self._clock.now()) if self._is_simulated else None

    def _is_kept_with_entities(self, target: TimerTarget) -> bool:
        return self.shares(getattr(target, "state_store", None) or getattr(target, "store", None))

    async def _restore(self) -> None:
        await self._do(lambda: restore(self._policy, self._clock.now(), self._poll_seconds, self._store._time))
        listen = getattr(self._store, "listen", None)
        if listen is not None:
            await listen(lambda table: self.look() if table == timer_statements.TABLE else None)

    async def _look_after(self) -> None:
        now = self._clock.now()
        if self._policy != "resume":
            await self._do(lambda: timer_statements.last_seen(self._store._time(now)))
        if self._forgot_at is None or now - self._forgot_at > timedelta(seconds=FINISHED_KEPT_SECONDS / 10):
            self._forgot_at = now
            await self._do(lambda: timer_statements.forget_finished(FINISHED_KEPT_SECONDS))

    async def _do(self, work: Callable[[], Work], mode: Mode = "write") -> Any:
        if not self._is_connected:
            await asyncio.to_thread(self._connect)
        return await self._store._arun(mode, work)

    def _connect(self) -> None:
        with self._connecting:
            if not self._is_connected:
                self._store.connect()
                self._is_connected = True


def restore(policy: RestorePolicy, now: datetime, poll_seconds: float, stored: timer_statements.Stored) -> Work:
    """Set timers anew as a policy says, where nobody has looked after them for some looks."""
    if policy == "resume":
        return
    seen = moment((yield from timer_statements.last_seen(stored(now))))
    if seen is None or now - seen <= timedelta(seconds=poll_seconds * LOOKS_MISSED):
        return
    for row in (yield from timer_statements.pending(None)):
        task = _task(row)
        assert task.fires_at is not None  # noqa: S101 - every row has it
        yield from timer_statements.move(task.task_id, stored(restored(policy, task.fires_at, row[11], seen, now)))


def due_timer(row: Row) -> DueTimer:
    """A claimed row as what is to fire."""
    task_id, machine, entity_id, key, trigger, fires_at, entered_at, payload, attempt, fence, metadata, delay, _ = row
    return DueTimer(
        task_id, machine, entity_id, trigger, key, moment(fires_at), moment(entered_at), _decoded(payload), attempt,
        fence, delay or 0, _decoded(metadata),
    )  # fmt: skip


def moment(value: Any) -> datetime | None:
    """A moment as databases give it."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _task(row: Row) -> ScheduledTask:
    timer, scheduled_at, status, fired_at = due_timer(row[:13]), moment(row[12]), row[13], moment(row[14])
    metadata = dict(timer.metadata)
    if timer.timer_key != f"#{timer.task_id}":
        metadata = {"machine": timer.machine, "timer_key": timer.timer_key, **metadata}
    return ScheduledTask(
        timer.task_id, timer.entity_id, timer.trigger, timer.delay_ms, TaskStatus(status),
        scheduled_at or timer.fires_at or datetime.now(UTC), timer.fires_at, fired_at, metadata,
    )  # fmt: skip


def _decoded(text: str | None) -> dict[str, Any]:
    return {} if text is None else msgspec.json.decode(text, type=dict[str, Any])
