"""Giving way once, so that what follows runs in a task of its own."""

from collections.abc import Generator
from types import coroutine


@coroutine
def step_aside() -> Generator[None, None, None]:
    """Suspend for one turn of the loop."""
    yield


__all__ = ["step_aside"]
