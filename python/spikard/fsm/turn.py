"""Whose turn it is: one step of a session at a time, for tasks that await it."""

import asyncio
from typing import Protocol


class Turns(Protocol):
    """A session, as far as tasks wait for it. Threads wait inside its native part."""

    @property
    def _waiting(self) -> list[tuple[asyncio.AbstractEventLoop, asyncio.Event]]: ...

    def _try_take(self) -> bool: ...


async def take_turn(session: Turns, within: object) -> bool:
    """Takes the turn for a task; False when the task is already inside the step that has it."""
    while not session._try_take():
        if within is session:
            return False
        waiting = session._waiting
        entry = (asyncio.get_running_loop(), asyncio.Event())
        waiting.append(entry)
        # It may have been given back between the first look and the entry.
        if session._try_take():
            waiting.remove(entry)
            break
        await entry[1].wait()
    return True


def wake_next(session: Turns) -> None:
    """Lets the task that has waited longest try again."""
    if session._waiting:
        loop, event = session._waiting.pop(0)
        loop.call_soon_threadsafe(event.set)
