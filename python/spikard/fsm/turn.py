"""Whose turn it is: one step of a session at a time, whoever asks and from wherever."""

import asyncio
import threading


class Turn:
    """A lock that threads wait for by sleeping and tasks by awaiting, and that knows who has it."""

    __slots__ = ("_lock", "_owner", "_waiting")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner: object = None
        # Tasks of any loop that wait; empty nearly always.
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def take(self) -> bool:
        """Takes the turn for this thread; False when this thread has it already, whatever task it is for."""
        if not self._lock.acquire(blocking=False):
            thread = threading.get_ident()
            if self._owner == thread:
                return False
            self._lock.acquire()
        self._owner = threading.get_ident()
        return True

    async def atake(self, within: object) -> bool:
        """Takes the turn for a task; False when the task is already inside the step that has it."""
        while not self._lock.acquire(blocking=False):
            if within is self:
                return False
            entry = (asyncio.get_running_loop(), asyncio.Event())
            self._waiting.append(entry)
            # It may have been given back between the first look and the entry.
            if self._lock.acquire(blocking=False):
                self._waiting.remove(entry)
                break
            await entry[1].wait()
        self._owner = threading.get_ident()
        return True

    def give(self) -> None:
        """Gives the turn back."""
        self._owner = None
        self._lock.release()
        if self._waiting:
            loop, event = self._waiting.pop(0)
            loop.call_soon_threadsafe(event.set)
