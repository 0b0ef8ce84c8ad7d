"""A loop for what has to be awaited where nobody awaits."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")

# Seconds for what does not want to end.
LONGEST_END = 10


class BackgroundLoop:
    """Runs on a thread of its own from the first use on."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end."""
        return self.submit(work).result()

    def submit(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """Begin to run a coroutine. One that is under way when the loop is closed is cancelled."""
        # Under the lock: what is submitted is there before the loop is told to stop.
        with self._lock:
            return asyncio.run_coroutine_threadsafe(work, self._running())

    @property
    def is_running(self) -> bool:
        """Whether it has been used."""
        return self._loop is not None

    def close(self) -> None:
        """Stop the loop. Used again, another is started."""
        with self._lock:
            loop, self._loop = self._loop, None
            if loop is not None:
                loop.call_soon_threadsafe(loop.stop)

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=_run, args=(self._loop,), name="spikard-fsm-loop", daemon=True).start()
        return self._loop


def _run(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.run_until_complete(_end())
        loop.close()


async def _end() -> None:
    """Cancel what is under way, and have it come to its end: on other threads somebody waits for each."""
    here = asyncio.current_task()
    # What was submitted last becomes a task first.
    await asyncio.sleep(0)
    while ending := asyncio.all_tasks() - {here}:
        for task in ending:
            task.cancel()
        _, late = await asyncio.wait(ending, timeout=LONGEST_END)
        if late:
            return
