"""Background work seen from a test."""

import asyncio
import concurrent.futures
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from spikard import background

PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class CapturedWork:
    """One piece of work: the name of its function, and how it ended."""

    name: str
    _end: concurrent.futures.Future[Any] = field(default_factory=concurrent.futures.Future, repr=False)

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self._end.done()

    @property
    def exception(self) -> BaseException | None:
        """What it failed with; None when it did not, or runs still."""
        return self._end.exception() if self._end.done() and not self._end.cancelled() else None

    @property
    def result(self) -> Any:
        """What it returned, or its exception raised; RuntimeError while it runs."""
        if not self._end.done():
            raise RuntimeError(f"{self.name} has not ended: `await captured.wait()` first")
        return self._end.result()


class CapturedBackground:
    """The work scheduled since the capture began, in that order."""

    def __init__(self) -> None:
        self.work: list[CapturedWork] = []

    @property
    def names(self) -> list[str]:
        """The names of the functions."""
        return [one.name for one in self.work]

    @property
    def exceptions(self) -> list[BaseException]:
        """What failed, and what with."""
        return [one.exception for one in self.work if one.exception is not None]

    async def wait(self, seconds: float = PATIENCE) -> None:
        """Wait until all of it has ended, also what other work has scheduled; TimeoutError after `seconds`."""
        async with asyncio.timeout(seconds):
            while waiting := [asyncio.wrap_future(one._end) for one in self.work if not one.done]:
                await asyncio.wait(waiting)

    def join(self, seconds: float = PATIENCE) -> None:
        """The same for tests without an event loop."""
        while waiting := [one._end for one in self.work if not one.done]:
            _, late = concurrent.futures.wait(waiting, seconds)
            if late:
                raise TimeoutError(f"{len(late)} pieces of background work run still after {seconds} s")

    def _begin(self, name: str) -> concurrent.futures.Future[Any]:
        work = CapturedWork(name.rpartition(".")[2])
        self.work.append(work)
        return work._end


@contextmanager
def capture_background() -> Iterator[CapturedBackground]:
    """See the background work that is scheduled inside the block: its names, its end, its faults.

    async with TestClient(app) as client:
        with capture_background() as captured:
            await client.post("/orders", json=order)
            await captured.wait()
        assert captured.names == ["send_receipt"]
        assert captured.exceptions == []
    """
    captured = CapturedBackground()
    background.observers.append(captured._begin)
    try:
        yield captured
    finally:
        background.observers.remove(captured._begin)


__all__ = ["CapturedBackground", "CapturedWork", "capture_background"]
