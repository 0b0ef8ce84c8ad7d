"""What a handler writes, held back until its update is done, so that both are one step."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from spikard.bots.clock import now
from spikard.bots.offsets import Write
from spikard.bots.storages.base import BaseStorage, Record, StorageKey
from spikard.bots.storages.content import as_mapping

Step = Callable[[Record], Record]


@dataclass(slots=True)
class _Page:
    """A record as the storage has it, and what was made of it."""

    base: Record
    current: Record
    steps: list[Step] = field(default_factory=list)
    # Whether somebody has read it in order to write it: then nobody else may have written it meanwhile.
    is_strict: bool = False


class DraftStorage(BaseStorage):
    """A storage in front of another. Each record is read once; what is written stays here until it is taken out.

    Whoever still writes after `open_through` (a task that outlives its handler, a handler outside of its lane) writes
    to the storage itself.

    Args:
        storage: The other.
        read: How its records are read; by default with its `get`.
    """

    def __init__(self, storage: BaseStorage, read: Callable[[StorageKey], Awaitable[Record]] | None = None) -> None:
        self._storage = storage
        self._read = read or storage.get
        self._pages: dict[StorageKey, _Page] = {}
        self._is_open = False

    def open_through(self) -> None:
        """From now on everything goes to the storage at once."""
        self._is_open = True

    def writes(self) -> list[Write]:
        """What was written, and over which versions."""
        return [Write(key, page.current, page.base.version) for key, page in self._pages.items() if page.steps]

    async def rebase(self) -> bool:
        """Does every step again on what the storage has now; False if that would undo what somebody else did."""
        for key, page in self._pages.items():
            if not page.steps:
                continue
            base = await self._storage.get(key)
            if page.is_strict and base.version != page.base.version:
                return False
            page.base = page.current = base
            for step in page.steps:
                page.current = step(page.current)
        return True

    async def _page(self, key: StorageKey) -> _Page:
        page = self._pages.get(key)
        if page is None:
            base = await self._read(key)
            # Another task of the same handler may have been faster.
            page = self._pages.setdefault(key, _Page(base, base))
        return page

    async def _write(self, key: StorageKey, step: Step) -> Record:
        page = await self._page(key)
        page.steps.append(step)
        page.current = replace(step(page.current), version=page.base.version + len(page.steps), updated_at=now())
        return page.current

    async def get(self, key: StorageKey) -> Record:
        """State and data together, the data a copy."""
        if self._is_open:
            return await self._storage.get(key)
        current = (await self._page(key)).current
        return replace(current, data=as_mapping(current.data))

    async def put(self, key: StorageKey, record: Record, expect_version: int | None = None) -> bool:
        """Keeps both, if the version is the expected one."""
        if self._is_open:
            return await self._storage.put(key, record, expect_version)
        if expect_version is not None:
            page = await self._page(key)
            if page.current.version != expect_version:
                return False
            page.is_strict = True
        kept = replace(record, data=as_mapping(record.data))
        await self._write(key, lambda _: kept)
        return True

    async def set_state(self, key: StorageKey, state: str | None) -> None:
        """Keeps the state; None removes it."""
        if self._is_open:
            await self._storage.set_state(key=key, state=state)
        else:
            await self._write(key, lambda known: replace(known, state=state))

    async def get_state(self, key: StorageKey) -> str | None:
        """The state, or None."""
        if self._is_open:
            return await self._storage.get_state(key=key)
        return (await self._page(key)).current.state

    async def set_data(self, key: StorageKey, data: dict[str, Any]) -> None:
        """Keeps the data."""
        if self._is_open:
            await self._storage.set_data(key=key, data=data)
            return
        kept = as_mapping(data)
        await self._write(key, lambda known: replace(known, data=kept))

    async def get_data(self, key: StorageKey) -> dict[str, Any]:
        """A copy of the data."""
        return (await self.get(key)).data

    async def update_data(self, key: StorageKey, patch: Mapping[str, Any]) -> dict[str, Any]:
        """Merges into the data and gives the whole."""
        if self._is_open:
            return await self._storage.update_data(key, patch)
        added = as_mapping(patch)
        written = await self._write(key, lambda known: replace(known, data={**known.data, **added}))
        return as_mapping(written.data)

    @asynccontextmanager
    async def lock(self, key: StorageKey) -> AsyncIterator[None]:
        """Holds the key against all others of the storage."""
        async with self._storage.lock(key):
            yield

    def scan(self, bot_id: str, state: str | None = None) -> AsyncIterator[tuple[StorageKey, Record]]:
        """All records as the storage has them."""
        return self._storage.scan(bot_id, state)

    async def close(self) -> None:
        """Leaves the storage open: it is not this one's."""


__all__ = ["DraftStorage"]
