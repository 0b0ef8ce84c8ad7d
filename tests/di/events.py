"""Providers that tell when they open and close."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any


class Events:
    """What happened, to be waited for from the test's thread."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self._changed = threading.Condition()

    def __call__(self, event: Any) -> None:
        with self._changed:
            self.seen.append(event)
            self._changed.notify_all()

    def wait_for(self, event: Any) -> list[Any]:
        """Everything so far, once this event is in it."""
        with self._changed:
            assert self._changed.wait_for(lambda: event in self.seen, 10), (event, self.seen)
            return list(self.seen)


def cleaned(events: Events, name: str = "value") -> Callable[[], Iterator[str]]:
    def provider() -> Iterator[str]:
        events(f"open {name}")
        try:
            yield name
        except BaseException as fault:
            events(f"{name} saw {type(fault).__name__}")
            raise
        finally:
            events(f"close {name}")

    return provider


def cleaned_async(events: Events, name: str = "value") -> Callable[[], AsyncIterator[str]]:
    async def provider() -> AsyncIterator[str]:
        await asyncio.sleep(0)
        events(f"open {name}")
        try:
            yield name
        except BaseException as fault:
            events(f"{name} saw {type(fault).__name__}")
            raise
        finally:
            await asyncio.sleep(0)
            events(f"close {name}")

    return provider
