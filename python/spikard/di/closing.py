"""The end of a handler's scope, when the answer has been sent."""

import asyncio
import logging
from typing import Any

from spikard import background
from spikard.di.exits import close, close_now, wait_needed

logger = logging.getLogger("spikard.error")


class Closing:
    """What is left to do; done once, at the latest when nobody holds it any more.

    With `threaded` the steps that need no loop run in a thread, as the handler did.
    """

    __slots__ = ("_exits", "_fault", "_loop", "_threaded")

    def __init__(self, exits: list[Any], fault: BaseException | None = None, *, threaded: bool = False) -> None:
        self._exits = exits
        self._fault = fault
        self._threaded = threaded
        self._loop = background.worker_loop.get() or asyncio.get_running_loop()

    async def __call__(self) -> None:
        exits, self._exits = self._exits, []
        fault, self._fault = self._fault, None
        try:
            if self._threaded and not wait_needed(exits):
                await asyncio.to_thread(close_now, exits, fault)
            else:
                await close(exits, fault)
        except Exception:
            logger.exception("the cleanup of a dependency failed")

    def soon(self) -> None:
        """Close once the loop gets to it."""
        self._loop.call_soon_threadsafe(background.run_after, self._taken())

    def _taken(self) -> "Closing":
        other = Closing.__new__(Closing)
        other._exits, self._exits = self._exits, []
        other._fault, other._threaded, other._loop = self._fault, self._threaded, self._loop
        return other

    def __del__(self) -> None:
        # The answer was never made, or never sent: the scope ends all the same.
        if self._exits and not self._loop.is_closed():
            self.soon()


def close_failed(exits: list[Any], fault: BaseException, threaded: bool = False) -> None:
    """Close after a handler that raised, behind the answer to that."""
    if exits:
        Closing(exits, fault, threaded=threaded).soon()


def close_after(tasks: background.BackgroundTasks, exits: list[Any], threaded: bool = False) -> None:
    """Close after the answer and its background tasks."""
    if exits:
        tasks.finish_with(Closing(exits, threaded=threaded))


def close_soon(exits: list[Any], threaded: bool = False) -> None:
    """Close when the loop gets to it, where nothing tells of the answer."""
    if exits:
        Closing(exits, threaded=threaded).soon()


__all__ = ["Closing", "close_after", "close_failed", "close_soon"]
