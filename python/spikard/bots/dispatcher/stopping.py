"""The end of polling: asked for by a call, a signal, or not at all."""

import asyncio
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any


class Stopping:
    """Whether polling is to end, and how fast.

    Attributes:
        asked: Set when it is to end.
        hurried: Set when handlers are not to be waited for.
        grace: Seconds that running handlers have.
    """

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.hurried = asyncio.Event()
        self.grace = 30.0

    @contextmanager
    def signals(self) -> Iterator[None]:
        """SIGINT and SIGTERM: the first asks, the second hurries, the third cancels the task that is in the block."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()

        def signalled() -> None:
            if self.hurried.is_set() and task is not None:
                task.cancel()
            if self.asked.is_set():
                self.hurried.set()
            self.asked.set()

        taken = []
        for number in (signal.SIGINT, signal.SIGTERM):
            # Only a main thread has them.
            with suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, signalled)
                taken.append(number)
        try:
            yield
        finally:
            for number in taken:
                loop.remove_signal_handler(number)

    async def race(self, work: Coroutine[Any, Any, None]) -> None:
        """Does work until it ends or the end is asked for; raises what it raises."""
        task, stopped = asyncio.create_task(work), asyncio.create_task(self.asked.wait())
        try:
            await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                task.result()
        finally:
            for one in (task, stopped):
                one.cancel()
            await asyncio.gather(task, stopped, return_exceptions=True)


__all__ = ["Stopping"]
