"""Timers as something that workers take from the database."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from spikard.fsm.schedulers.due_timer import DueTimer
from spikard.fsm.schedulers.durable import FINISHED_KEPT_SECONDS, pause
from spikard.fsm.schedulers.restoring import RestorePolicy
from spikard.fsm.schedulers.sql import due_timer, moment, restore
from spikard.fsm.stores import timer_statements
from spikard.fsm.stores.sql import SqlStateStore
from spikard.fsm.stores.work import Mode, Work

logger = logging.getLogger("spikard.fsm.worker")


@dataclass(frozen=True, slots=True)
class ClaimedTimer:
    """A timer that a worker holds, as what workers hold looks; `fence` as with events."""

    timer: DueTimer
    max_attempts: int

    @property
    def event_id(self) -> str:
        """The id of the timer's task."""
        return self.timer.task_id

    @property
    def machine_name(self) -> str:
        """The machine that the entity is of."""
        return self.timer.machine or ""

    @property
    def entity_id(self) -> str:
        """The entity whose timer it is."""
        return self.timer.entity_id

    @property
    def attempt(self) -> int:
        """Which try this is, from one."""
        return self.timer.attempt

    @property
    def fence(self) -> int:
        """Whoever has an older one has lost the timer."""
        return self.timer.fence or 0


class TimerSource:
    """Due timers of `fsm_timers`. It is its own queue: timers are always settled under their fences."""

    def __init__(
        self,
        store: SqlStateStore,
        *,
        lease_seconds: float,
        max_attempts: int,
        poll_seconds: float,
        policy: RestorePolicy = "resume",
    ) -> None:
        self.queue = self
        self.dropped = 0
        self._store = store
        self._lease_seconds = lease_seconds
        self._max_attempts = max_attempts
        self._poll_seconds = poll_seconds
        self._policy: RestorePolicy = policy
        self._forgot_at: datetime | None = None
        self._fences: dict[str, int] = {}

    async def restore(self) -> None:
        """Go by the policy for the time in which nobody looked after timers."""
        await self._do(lambda: restore(self._policy, datetime.now(UTC), self._poll_seconds, self._store._time))

    async def claim_batch(self, worker_id: str, n: int) -> list[ClaimedTimer]:
        """Up to `n` timers that are due, the earliest first."""
        rows = await self._do(
            lambda: timer_statements.claim(worker_id, n, self._lease_seconds, None, machines=None, task_id=None)
        )
        return [ClaimedTimer(due_timer(row), self._max_attempts) for row in rows]

    async def seconds_until_next(self) -> float | None:
        """How long nothing will be due; None where nothing waits."""
        now = datetime.now(UTC)
        if self._policy != "resume":
            await self._do(lambda: timer_statements.last_seen(self._store._time(now)))
        if self._forgot_at is None or now - self._forgot_at > timedelta(seconds=FINISHED_KEPT_SECONDS / 10):
            self._forgot_at = now
            await self._do(lambda: timer_statements.forget_finished(FINISHED_KEPT_SECONDS))
        following = moment(await self._do(lambda: timer_statements.next_due(None), "read"))
        return None if following is None else max(0.0, (following - now).total_seconds())

    def drop(self, claimed: ClaimedTimer) -> None:
        """Count a timer whose entity has moved on."""
        self.dropped += 1
        logger.info("Timer %s of '%s' is dropped: the state was left", claimed.timer.timer_key, claimed.entity_id)

    async def complete(self, event_id: str, result: Any = None, *, fence: int | None = None) -> None:
        """Nothing is left to be done: what fires ends in the transaction of its step."""

    async def give_up(self, claimed: ClaimedTimer, status: str, error: str | None = None) -> None:
        """A timer that is held fires no more."""
        await self._do(lambda: timer_statements.finish(claimed.event_id, claimed.fence, status, error))

    async def fail(self, event_id: str, error: str, *, retry: bool, fence: int, attempt: int = 1) -> None:
        """A timer that is held could not be fired."""
        if retry and attempt < self._max_attempts:
            await self._do(lambda: timer_statements.postpone(event_id, fence, error, pause(attempt)))
        else:
            await self._do(lambda: timer_statements.finish(event_id, fence, "failed", error))

    async def extend_many(self, held: Sequence[tuple[str, int]]) -> None:
        """Hold timers for longer, by their ids and fences."""

        def work() -> Work:
            for task_id, fence in sorted(held):
                yield from timer_statements.extend(task_id, fence, self._lease_seconds)

        await self._do(work)

    async def release(self, event_id: str, fence: int) -> None:
        """A timer that nobody has begun with is given back."""
        await self._do(lambda: timer_statements.release(event_id, fence))

    async def sweep(self) -> list[Any]:
        """Nothing: a timer whose lease has lapsed is claimed as it is."""
        return []

    @staticmethod
    def claimed(rows: list[Any]) -> list[Any]:
        """What `sweep` has found."""
        return rows

    def forget(self, event_id: str, fence: int) -> None:
        """Nothing is remembered of claims."""

    async def close(self) -> None:
        """The store is the worker's."""

    async def _do(self, work: Callable[[], Work], mode: Mode = "write") -> Any:
        return await self._store._arun(mode, work)
