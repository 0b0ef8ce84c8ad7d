"""Updates side by side, and those that belong together one after another."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from contextlib import suppress
from contextvars import copy_context
from typing import Any

from spikard.bots.leaving import leave_lane

Job = Callable[[], Awaitable[None]]

# How long those that are cancelled may take to notice.
_LAST_SECONDS = 5.0


class _Lane:
    __slots__ = ("jobs", "key")

    def __init__(self, key: Hashable | None) -> None:
        self.key = key
        self.jobs: deque[tuple[Any, Job]] = deque()


class Lanes:
    """Jobs of one key run in the order of their arrival, jobs of others beside them; an idle lane costs nothing.

    A job may call what is in `leave_lane`: the next of its lane need not wait for its end then.

    Args:
        concurrency: How many jobs run at once.
        queue_limit: How many may wait; `put` waits when there are more.
    """

    def __init__(self, concurrency: int, queue_limit: int) -> None:
        if concurrency < 1 or queue_limit < 1:
            raise ValueError(f"concurrency {concurrency} and queue_limit {queue_limit} are at least 1 each")
        self._concurrency = concurrency
        self._limit = queue_limit
        self._lanes: dict[Hashable, _Lane] = {}
        self._ready: deque[_Lane] = deque()
        self._running: dict[asyncio.Task[None], Any] = {}
        self._unfinished = 0
        self._room = asyncio.Event()
        self._room.set()
        # What one job sets is not there in the next.
        self._context = copy_context()

    @property
    def unfinished(self) -> int:
        """How many jobs wait or run."""
        return self._unfinished

    def is_idle(self, key: Hashable | None) -> bool:
        """Whether no job of a key waits or runs."""
        return key is None or key not in self._lanes

    async def put(self, key: Hashable | None, job: Job, label: Any = None) -> None:
        """Takes a job when there is room; without a key it waits for nobody. Jobs do not raise."""
        while self._unfinished >= self._limit:
            self._room.clear()
            await self._room.wait()
        self.put_now(key, job, label)

    def put_now(self, key: Hashable | None, job: Job, label: Any = None) -> None:
        """Takes a job, whatever waits already."""
        self._unfinished += 1
        lane = self._lanes.get(key) if key is not None else None
        if lane is None:
            lane = _Lane(key)
            if key is not None:
                self._lanes[key] = lane
            self._ready.append(lane)
        lane.jobs.append((label, job))
        self._start()

    def drop_waiting(self, chosen: Callable[[Any], bool] = lambda _: True) -> list[Any]:
        """Forgets jobs that have not begun; gives their labels."""
        dropped = []
        for lane in {*self._ready, *self._lanes.values()}:
            dropped += [label for label, _ in lane.jobs if chosen(label)]
            lane.jobs = deque((label, job) for label, job in lane.jobs if not chosen(label))
        self._ready = deque(lane for lane in self._ready if lane.jobs or self._forget(lane))
        self._unfinished -= len(dropped)
        self._room.set()
        return dropped

    async def drain(self, grace: float, hurried: asyncio.Event | None = None) -> list[Any]:
        """Waits until all is done, at most so many seconds, and cancels what is left. Gives the labels of that."""
        hurry = asyncio.create_task((hurried or asyncio.Event()).wait())
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(grace):
                    while self._unfinished and not hurry.done():
                        await asyncio.wait({*self._running, hurry}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            hurry.cancel()
            left = self.drop_waiting() + list(self._running.values())
            tasks = list(self._running)
            for task in tasks:
                task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_LAST_SECONDS)
        return left

    def _start(self) -> None:
        while self._ready and len(self._running) < self._concurrency:
            lane = self._ready.popleft()
            label, job = lane.jobs.popleft()
            task = asyncio.create_task(self._work(lane, job), context=self._context.copy())
            self._running[task] = label
            task.add_done_callback(self._ended)

    async def _work(self, lane: _Lane, job: Job) -> None:
        is_in_lane = True

        def leave() -> None:
            nonlocal is_in_lane
            if is_in_lane:
                is_in_lane = False
                self._next(lane)
                self._start()

        leave_lane.set(leave)
        try:
            await job()
        finally:
            if is_in_lane:
                is_in_lane = False
                self._next(lane)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._running.pop(task, None)
        self._unfinished -= 1
        self._room.set()
        self._start()

    def _next(self, lane: _Lane) -> None:
        if lane.jobs:
            self._ready.append(lane)
        else:
            self._forget(lane)

    def _forget(self, lane: _Lane) -> bool:
        if lane.key is not None and self._lanes.get(lane.key) is lane:
            del self._lanes[lane.key]
        return False


__all__ = ["Job", "Lanes"]
