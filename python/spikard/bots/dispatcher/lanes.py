"""Updates side by side, and those that belong together one after another."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable

from spikard.bots.leaving import leave_lane

Job = Callable[[], Awaitable[None]]


class Lanes:
    """Jobs of one key run in the order of their arrival, jobs of others beside them; an idle lane costs nothing.

    Args:
        concurrency: How many jobs run at once.
        queue_limit: How many may wait; `put` waits when there are more.
    """

    def __init__(self, concurrency: int, queue_limit: int) -> None:
        if concurrency < 1 or queue_limit < 1:
            raise ValueError(f"concurrency {concurrency} and queue_limit {queue_limit} are at least 1 each")
        self._slots = asyncio.Semaphore(concurrency)
        self._limit = queue_limit
        self._lanes: dict[Hashable, deque[Job]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._unfinished = 0
        self._room = asyncio.Event()
        self._room.set()

    @property
    def unfinished(self) -> int:
        """How many jobs wait or run."""
        return self._unfinished

    async def put(self, key: Hashable | None, job: Job) -> None:
        """Takes a job; without a key it waits for nobody. Jobs do not raise."""
        while self._unfinished >= self._limit:
            self._room.clear()
            await self._room.wait()
        self._unfinished += 1
        if key is not None:
            waiting = self._lanes.get(key)
            if waiting is not None:
                waiting.append(job)
                return
            self._lanes[key] = deque()
        self._start(key, job)

    def _start(self, key: Hashable | None, job: Job) -> None:
        task = asyncio.create_task(self._run(key, job))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, key: Hashable | None, job: Job) -> None:
        has_left = False

        def leave() -> None:
            nonlocal has_left
            if has_left or key is None:
                return
            has_left = True
            waiting = self._lanes.get(key)
            if waiting:
                self._start(key, waiting.popleft())
            else:
                self._lanes.pop(key, None)

        leave_lane.set(leave)
        try:
            while True:
                async with self._slots:
                    try:
                        await job()
                    finally:
                        self._unfinished -= 1
                        self._room.set()
                waiting = self._lanes.get(key) if key is not None and not has_left else None
                if not waiting:
                    return
                job = waiting.popleft()
        finally:
            if key is not None and not has_left:
                left = self._lanes.pop(key, ())
                self._unfinished -= len(left)
                self._room.set()

    async def drain(self, grace: float) -> int:
        """Waits until all is done, at most so many seconds, and cancels what is left. Gives how many those were."""
        try:
            async with asyncio.timeout(grace):
                while self._tasks:
                    await asyncio.wait(self._tasks)
        except TimeoutError:
            pass
        left = self._unfinished
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        return left


__all__ = ["Job", "Lanes"]
