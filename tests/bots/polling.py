"""Dispatchers that poll, and what tests wait for."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from spikard.bots import Bot, Dispatcher


@asynccontextmanager
async def polling(dp: Dispatcher, *bots: Bot, **options: Any) -> AsyncIterator["asyncio.Task[None]"]:
    """A dispatcher that polls while the block runs."""
    task = asyncio.create_task(dp.start_polling(*bots, handle_signals=False, **options))
    try:
        yield task
    finally:
        await dp.stop()
        await asyncio.gather(task, return_exceptions=True)


class Gathered:
    """Values, and waiting for a number of them."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._more = asyncio.Condition()

    async def add(self, value: Any) -> None:
        async with self._more:
            self.values.append(value)
            self._more.notify_all()

    async def until(self, count: int) -> list[Any]:
        async with asyncio.timeout(20), self._more:
            await self._more.wait_for(lambda: len(self.values) >= count)
        return self.values


async def until(condition: Callable[[], Any]) -> None:
    """Waits for something that nobody tells of."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.001)
