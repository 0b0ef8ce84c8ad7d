"""Timers that Celery's workers fire."""

import asyncio
import logging
import os
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from spikard.fsm.background_loop import BackgroundLoop
from spikard.fsm.schedulers.due_timer import DueTimer
from spikard.fsm.schedulers.restoring import RestorePolicy
from spikard.fsm.schedulers.sql import SqlScheduler
from spikard.fsm.schedulers.task import ScheduledTask
from spikard.fsm.settings import application_database
from spikard.fsm.stores.factory import unconnected_state_store
from spikard.fsm.stores.sql import SqlStateStore

logger = logging.getLogger("spikard.fsm.schedulers")

# Messages that this process has sent and may have to revoke.
SENT_KEPT = 10_000


class CeleryScheduler(SqlScheduler):
    """Keeps timers in `fsm_timers`, and has a message of Celery wake somebody when they are due.

    The row comes first and decides: a message that is lost leaves a timer for any worker or scheduler of the table, one
    that comes twice finds it fired. `register_task` defines the task that Celery's workers run; they need a `runtime`,
    or a function that makes one in the process that asks for it. `start` is not needed; with it timers are looked for
    in this process, too. `celery_app` is another name of `app`.
    """

    def __init__(
        self,
        app: Any = None,
        task_name: str = "spikard.fsm.fire",
        *,
        celery_app: Any = None,
        database: str | SqlStateStore | None = None,
        runtime: Any = None,
        poll_interval_ms: int = 5_000,
        lease_seconds: float = 60.0,
        max_attempts: int = 5,
        timers: RestorePolicy = "resume",
    ) -> None:
        is_made_later = callable(runtime) and not hasattr(runtime, "afire")
        super().__init__(
            database or application_database(), runtime=None if is_made_later else runtime,
            poll_interval_ms=poll_interval_ms, lease_seconds=lease_seconds, max_attempts=max_attempts, timers=timers,
        )  # fmt: skip
        self._app = celery_app if app is None else app
        self._task_name = task_name
        self._make_runtime: Callable[[], Any] | None = runtime if is_made_later else None
        self._sent: OrderedDict[str, str] = OrderedDict()
        self._process = os.getpid()
        self._background = BackgroundLoop()

    def register_task(self) -> Any:
        """Define the task in the application of Celery; in every process that is to fire."""
        return self._app.task(name=self._task_name, ignore_result=True, acks_late=True)(self.fire_task)

    def finds_timers_of(self, store: Any) -> bool:  # noqa: ARG002 - somebody has to send a message of each
        """Never: each timer needs a message."""
        return False

    def fire_task(self, task_id: str) -> None:
        """Fire a timer that is due, in a worker of Celery; does nothing for one that is held, gone or fired."""
        self._here()
        self._background.wait(self._fire_task(task_id))

    async def cancel(self, task_id: str) -> bool:
        """Do not fire it; whether it was still waiting."""
        found = await self.get_task(task_id)
        is_cancelled = await super().cancel(task_id)
        message = self._sent.pop(task_id, None)
        if message is None and found is not None and found.fires_at is not None:
            message = _message(task_id, found.fires_at)
        if message is not None:
            await self._told(self._app.control.revoke, message)
        return is_cancelled

    async def close(self) -> None:
        """Fire no more here, and close the connections that are the scheduler's own."""
        await super().close()
        self._background.close()

    async def _keep(self, task: ScheduledTask, machine: str | None, key: str | None, owner: str | None) -> None:
        assert task.fires_at is not None  # noqa: S101 - `schedule` has set it
        target = self._targets.get(machine or "", self._runtime)
        if key is None or target is None or not self._is_kept_with_entities(target):
            await super()._keep(task, machine, key, owner)
        await self._send(task.task_id, task.fires_at)

    async def _postpone(self, timer: DueTimer, seconds: float, error: str) -> None:
        await super()._postpone(timer, seconds, error)
        await self._told(self._app.send_task, self._task_name, args=[timer.task_id], countdown=seconds)

    async def _fire_task(self, task_id: str) -> None:
        timer = await self.claim_task(task_id)
        if timer is not None:
            await self._deliver(timer)
            return
        found = await self.get_task(task_id)
        if found is not None and found.is_pending and found.fires_at is not None:
            left = (found.fires_at - self._clock.now()).total_seconds()
            if left > 0:
                # The message has come early: clocks differ, or the timer was moved.
                await self._told(self._app.send_task, self._task_name, args=[task_id], countdown=left)

    async def _send(self, task_id: str, fires_at: datetime) -> None:
        message = _message(task_id, fires_at)
        self._sent[task_id] = message
        if len(self._sent) > SENT_KEPT:
            self._sent.popitem(last=False)
        countdown = max(0.0, (fires_at - self._clock.now()).total_seconds())
        await self._told(self._app.send_task, self._task_name, args=[task_id], countdown=countdown, task_id=message)

    async def _told(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> None:
        try:
            await asyncio.to_thread(call, *arguments, **options)
        except Exception:
            # The row is there: whoever looks into the table fires it.
            logger.exception("Celery's broker could not be told of a timer")

    def _here(self) -> None:
        """Have connections and a runtime of this process: a child of a worker has only copies of its parent's."""
        if self._process != os.getpid():
            self._process = os.getpid()
            self._background = BackgroundLoop()
            if self._owns_store:
                self._store = unconnected_state_store(str(self._store.connection_string))
                self._is_connected = False
        if self._make_runtime is not None:
            make, self._make_runtime = self._make_runtime, None
            self._runtime = make()


def _message(task_id: str, fires_at: datetime) -> str:
    # Celery remembers what was revoked: a timer that is armed again needs another id.
    return str(uuid5(NAMESPACE_OID, f"{task_id} {fires_at.isoformat()}"))
