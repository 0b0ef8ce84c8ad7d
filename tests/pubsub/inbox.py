"""Where messages of a bus arrive."""

import asyncio


class Inbox:
    """What has been delivered."""

    def __init__(self) -> None:
        self._messages: asyncio.Queue[bytes] = asyncio.Queue()

    def __call__(self, message: bytes) -> None:
        self._messages.put_nowait(message)

    async def next(self, count: int = 1) -> list[bytes]:
        """The next messages."""
        async with asyncio.timeout(15):
            return [await self._messages.get() for _ in range(count)]

    @property
    def is_empty(self) -> bool:
        return self._messages.empty()
