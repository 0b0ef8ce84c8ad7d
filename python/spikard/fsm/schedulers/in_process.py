"""Timers of one event loop."""

import asyncio
import heapq
import inspect
import itertools
import logging
from collections import OrderedDict
from datetime import timedelta
from typing import Any

from spikard.fsm.clock import Clock, FsmClock
from spikard.fsm.schedulers.adapter import Callback, SchedulerAdapter
from spikard.fsm.schedulers.task import ScheduledTask, TaskStatus, generate_task_id

logger = logging.getLogger("spikard.fsm.schedulers")

FINISHED_KEPT = 10_000


class AsyncioScheduler(SchedulerAdapter):
    """Fires in this process: all waiting tasks in one heap, one timer for the first of them.

    What waits is lost with the process. The latest 10,000 finished tasks are remembered.
    """

    def __init__(self, *, clock: Clock | None = None) -> None:
        self._clock = clock or FsmClock()
        self._heap: list[tuple[Any, int, str]] = []
        self._numbers = itertools.count()
        self._waiting: dict[str, tuple[ScheduledTask, Callback]] = {}
        self._of_entity: dict[str, set[str]] = {}
        self._running: dict[str, tuple[ScheduledTask, asyncio.Task[None]]] = {}
        self._finished: OrderedDict[str, ScheduledTask] = OrderedDict()
        self._timer: asyncio.Task[None] | None = None

    @property
    def pending_count(self) -> int:
        """How many wait."""
        return len(self._waiting)

    @property
    def total_count(self) -> int:
        """How many are remembered."""
        return len(self._waiting) + len(self._running) + len(self._finished)

    async def schedule(
        self,
        delay_ms: int,
        callback: Callback,
        entity_id: str,
        event: str,
        metadata: dict[str, Any] | None = None,
    ) -> str:
        """Call back after a while; the id of the task."""
        now = self._clock.now()
        task = ScheduledTask(generate_task_id(), entity_id, event, delay_ms, scheduled_at=now, metadata=metadata or {})
        task.fires_at = now + timedelta(milliseconds=max(0, delay_ms))
        self._waiting[task.task_id] = (task, callback)
        self._of_entity.setdefault(entity_id, set()).add(task.task_id)
        is_first = not self._heap or task.fires_at < self._heap[0][0]
        heapq.heappush(self._heap, (task.fires_at, next(self._numbers), task.task_id))
        if is_first:
            self._restart()
        return task.task_id

    async def cancel(self, task_id: str) -> bool:
        """Do not call back; whether the task was still waiting."""
        task = self._take(task_id)
        if task is None:
            return False
        self._finish(task[0], TaskStatus.CANCELLED)
        return True

    async def get_task(self, task_id: str) -> ScheduledTask | None:
        """A task that waits, runs, or has finished not too long ago."""
        held = self._waiting.get(task_id) or self._running.get(task_id)
        return held[0] if held else self._finished.get(task_id)

    async def get_pending_tasks(self, entity_id: str | None = None) -> list[ScheduledTask]:
        """Those that wait, of one entity or of all."""
        names = self._waiting if entity_id is None else self._of_entity.get(entity_id, ())
        return [self._waiting[name][0] for name in names]

    async def close(self) -> None:
        """Forget what waits, and end what runs."""
        ending = [running for _, running in self._running.values()]
        if self._timer is not None:
            ending.append(self._timer)
        for one in ending:
            one.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        self._timer = None
        for held in (self._heap, self._waiting, self._of_entity, self._running, self._finished):
            held.clear()

    def _restart(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().create_task(self._wait())

    async def _wait(self) -> None:
        while self._heap:
            fires_at, _, task_id = self._heap[0]
            remaining = (fires_at - self._clock.now()).total_seconds()
            if task_id in self._waiting and remaining > 0:
                await self._clock.sleep(remaining)
                continue
            heapq.heappop(self._heap)
            taken = self._take(task_id)
            if taken is not None:
                self._start(*taken)
        self._timer = None

    def _start(self, task: ScheduledTask, callback: Callback) -> None:
        task.status = TaskStatus.RUNNING
        task.fired_at = self._clock.now()
        self._running[task.task_id] = (task, asyncio.get_running_loop().create_task(self._call(task, callback)))

    async def _call(self, task: ScheduledTask, callback: Callback) -> None:
        status = TaskStatus.CANCELLED
        try:
            outcome = callback()
            if inspect.isawaitable(outcome):
                await outcome
            status = TaskStatus.COMPLETED
        except Exception:
            status = TaskStatus.FAILED
            logger.exception("Task %s (%s of %s) failed", task.task_id, task.event, task.entity_id)
        finally:
            self._running.pop(task.task_id, None)
            self._finish(task, status)

    def _take(self, task_id: str) -> tuple[ScheduledTask, Callback] | None:
        taken = self._waiting.pop(task_id, None)
        if taken is not None:
            entity_id = taken[0].entity_id
            self._of_entity[entity_id].discard(task_id)
            if not self._of_entity[entity_id]:
                del self._of_entity[entity_id]
        return taken

    def _finish(self, task: ScheduledTask, status: TaskStatus) -> None:
        task.status = status
        self._finished[task.task_id] = task
        if len(self._finished) > FINISHED_KEPT:
            self._finished.popitem(last=False)
