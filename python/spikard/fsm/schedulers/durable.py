"""What schedulers share that outlive their process."""

import asyncio
import logging
import random
from abc import abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from inspect import isawaitable
from typing import Any

from spikard.fsm.clock import Clock, FsmClock
from spikard.fsm.schedulers.adapter import Callback, SchedulerAdapter
from spikard.fsm.schedulers.due_timer import DueTimer, TimerTarget
from spikard.fsm.schedulers.restoring import RestorePolicy, check_policy
from spikard.fsm.schedulers.task import ScheduledTask, TaskStatus, generate_task_id
from spikard.fsm.stores.timer_statements import timer_task_id

logger = logging.getLogger("spikard.fsm.schedulers")

FINISHED_KEPT_SECONDS = 3600.0
PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 300.0


class DurableScheduler(SchedulerAdapter):
    """Keeps timers where any process finds them: machine, entity, trigger and key, never a function.

    Whoever fires one asks its `runtime` for the machine, or an orchestrator that was made with this scheduler. Only a
    task that was scheduled without `machine` in its metadata is its callback's, and so its process's. `start` begins to
    fire. What fails is tried again with growing pauses, up to `max_attempts` times; what comes for an entity that has
    moved on is dropped and counted.
    """

    def __init__(
        self,
        *,
        runtime: Any = None,
        poll_interval_ms: int = 500,
        lease_seconds: float = 60.0,
        concurrency: int = 50,
        max_attempts: int = 5,
        timers: RestorePolicy = "resume",
        clock: Clock | None = None,
    ) -> None:
        if poll_interval_ms <= 0 or lease_seconds <= 0 or concurrency < 1:
            raise ValueError("poll_interval_ms, lease_seconds and concurrency must be positive")
        check_policy(timers)
        self.instance = generate_task_id()
        self.dropped_count = 0
        self._runtime: TimerTarget | None = runtime
        self._targets: dict[str, TimerTarget] = {}
        self._callbacks: dict[str, Callback] = {}
        self._poll_seconds = poll_interval_ms / 1000
        self._lease_seconds = lease_seconds
        self._concurrency = concurrency
        self._max_attempts = max_attempts
        self._policy: RestorePolicy = timers
        self._clock = clock or FsmClock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()
        self._polling: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[None]] = set()

    # What a store of timers has to do

    @abstractmethod
    async def _keep(self, task: ScheduledTask, machine: str | None, key: str | None, owner: str | None) -> None:
        """Keep a task; one under the same id gives way."""

    @abstractmethod
    async def _claim(self, limit: int) -> list[DueTimer]:
        """Timers that are due, held for a lease."""

    @abstractmethod
    async def _extend(self, timer: DueTimer) -> None:
        """Hold a timer for another lease."""

    @abstractmethod
    async def _finish(self, timer: DueTimer, status: TaskStatus, error: str | None) -> None:
        """A timer that is held has come to its end."""

    @abstractmethod
    async def _postpone(self, timer: DueTimer, seconds: float, error: str) -> None:
        """A timer that is held is to be tried again."""

    @abstractmethod
    async def _release(self, timer: DueTimer) -> None:
        """A timer that is held is given back."""

    @abstractmethod
    async def _next_due(self) -> datetime | None:
        """When the next timer fires that nobody holds."""

    @abstractmethod
    async def _restore(self) -> None:
        """Go by what `timers` says of the time in which nobody looked after them, and connect."""

    async def _look_after(self) -> None:
        """Something to be done with each look."""

    def _is_kept_with_entities(self, target: TimerTarget) -> bool:  # noqa: ARG002 - few are
        """Whether an entity's step ends its timer here, too."""
        return False

    # For programs

    @property
    def machines(self) -> list[str] | None:
        """The machines whose timers are fired here; None for all."""
        return None if self._runtime is not None else sorted(self._targets)

    def serve(self, machine: str, target: TimerTarget) -> None:
        """Fire the timers of a machine, too."""
        self._targets[machine] = target

    async def start(self) -> None:
        """Begin to fire in this loop."""
        if self._polling is not None:
            return
        await self._restore()
        self._loop = asyncio.get_running_loop()
        self._polling = self._loop.create_task(self._poll())

    async def close(self) -> None:
        """Fire no more here: what is under way comes to its end, what waits stays for others."""
        loop, self._loop = self._loop, None
        if loop is not None and loop is not asyncio.get_running_loop() and loop.is_running():
            # Its tasks are to be ended where they run.
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._end(), loop))
        else:
            await self._end()
        self._callbacks.clear()

    async def _end(self) -> None:
        polling, self._polling = self._polling, None
        if polling is not None:
            # Asked rather than cancelled: what is on its way to the store of timers arrives.
            self._wake.set()
            await polling
        if self._running:
            await asyncio.gather(*self._running, return_exceptions=True)

    async def schedule(
        self,
        delay_ms: int,
        callback: Callback,
        entity_id: str,
        event: str,
        metadata: dict[str, Any] | None = None,
    ) -> str:
        """Fire an event after a while; the id of the task.

        `machine` in the metadata names the machine that the entity is of. Without it the callback is called, as long
        as this process lives.
        """
        about = dict(metadata or {})
        machine, key = about.get("machine"), about.get("timer_key")
        task_id = generate_task_id() if key is None else timer_task_id(machine, entity_id, key)
        now = self._clock.now()
        task = ScheduledTask(task_id, entity_id, event, delay_ms, scheduled_at=now, metadata=about)
        task.fires_at = now + timedelta(milliseconds=max(0, delay_ms))
        is_served = machine is not None and (self._runtime is not None or machine in self._targets)
        if not is_served:
            self._callbacks[task_id] = callback
        await self._keep(task, machine, key, None if is_served else self.instance)
        self.look()
        return task_id

    def look(self) -> None:
        """Look for timers now: one may be due earlier than any before. May be called from any thread."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._wake.set)

    # Firing

    async def _poll(self) -> None:
        while self._polling is not None:
            # Cleared before looking: what comes in between is not slept through.
            self._wake.clear()
            pause = self._poll_seconds
            try:
                await self._look_after()
                pause = await self._turn()
            except Exception:
                logger.exception("Looking for timers failed; the next try is in %s seconds", pause)
            if self._polling is not None:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), pause)

    async def _turn(self) -> float:
        room = self._concurrency - len(self._running)
        if room > 0:
            for timer in await self._claim(room):
                task = asyncio.create_task(self._deliver(timer))
                self._running.add(task)
                task.add_done_callback(self._done)
        if len(self._running) >= self._concurrency:
            return self._poll_seconds
        following = await self._next_due()
        if following is None:
            return self._poll_seconds
        return min(self._poll_seconds, max(0.0, (following - self._clock.now()).total_seconds()))

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._running.discard(task)
        self._wake.set()

    async def _deliver(self, timer: DueTimer) -> None:
        renewing = asyncio.create_task(self._renew(timer))
        try:
            await self.fire(timer)
        except Exception:
            # The lease lapses, and the timer comes again.
            logger.exception("What has become of timer %s could not be kept", timer.task_id)
        finally:
            renewing.cancel()

    async def _renew(self, timer: DueTimer) -> None:
        while True:
            await asyncio.sleep(self._lease_seconds / 3)
            try:
                await self._extend(timer)
            except Exception:
                logger.exception("The lease of timer %s could not be renewed", timer.task_id)

    async def fire(self, timer: DueTimer) -> None:
        """Fire a timer that is held here, and keep what has become of it."""
        try:
            status = await self._fire(timer)
        except Exception as error:
            logger.exception("Timer %s (%s of %s) failed", timer.task_id, timer.trigger, timer.entity_id)
            if timer.attempt >= self._max_attempts or timer.task_id in self._callbacks:
                self._callbacks.pop(timer.task_id, None)
                await self._finish(timer, TaskStatus.FAILED, str(error))
            else:
                await self._postpone(timer, pause(timer.attempt), str(error))
            return
        if status is not None:
            await self._finish(timer, status, None)

    async def _fire(self, timer: DueTimer) -> TaskStatus | None:
        target = self._runtime if timer.machine is not None else None
        target = self._targets.get(timer.machine or "", target)
        if target is None:
            return await self._call(timer)
        is_whole = self._is_kept_with_entities(target)
        if not is_whole:
            # The entity's own store has the timer under its key, where a state has armed it.
            is_plain = timer.timer_key == f"#{timer.task_id}"
            timer = replace(timer, fence=None, timer_key=None if is_plain else timer.timer_key)
        result = await target.afire(timer)
        if result is None:
            self.dropped_count += 1
            return TaskStatus.CANCELLED
        return None if is_whole else TaskStatus.COMPLETED

    async def _call(self, timer: DueTimer) -> TaskStatus:
        callback = self._callbacks.get(timer.task_id)
        if callback is None:
            raise LookupError(f"no machine is named, and the function to call for {timer.trigger!r} is elsewhere")
        outcome = callback()
        if isawaitable(outcome):
            await outcome
        self._callbacks.pop(timer.task_id, None)
        return TaskStatus.COMPLETED


def pause(attempt: int) -> float:
    """Seconds before the next attempt: longer each time up to an end, and not the same for all."""
    longest = min(PAUSE_SECONDS * 2.0 ** min(attempt - 1, 40), LONGEST_PAUSE_SECONDS)
    return longest * random.uniform(1.0, 1.1)  # noqa: S311 - no secret


def entered(metadata: Mapping[str, Any]) -> datetime | None:
    """When the state was entered that a task's metadata tell of."""
    text = metadata.get("entered_at")
    return datetime.fromisoformat(text) if text else None
