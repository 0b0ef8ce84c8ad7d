"""What keeps the states of dialogues."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, unquote

from spikard.bots.clock import now

DEFAULT_DESTINY = "default"


@dataclass(frozen=True, slots=True)
class StorageKey:
    """Whose record it is. Parts that the strategy does not look at are empty."""

    bot_id: str
    chat_id: str
    user_id: str
    destiny: str = DEFAULT_DESTINY


def key_text(key: StorageKey) -> str:
    """A key as one text, its parts escaped."""
    return ":".join(quote(part, safe="") for part in (key.bot_id, key.chat_id, key.user_id, key.destiny))


def key_of(text: str) -> StorageKey:
    """The key of a text."""
    return StorageKey(*(unquote(part) for part in text.split(":")))


@dataclass(frozen=True, slots=True)
class Record:
    """State and data of one key.

    Attributes:
        state: The state's text; None where there is none.
        data: What the dialogue has gathered.
        version: Counts writes; 0 where nothing is kept.
        updated_at: Unix time of the last write, in seconds.
    """

    state: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    version: int = 0
    updated_at: float = 0.0

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to keep."""
        return self.state is None and not self.data


class BaseStorage(ABC):
    """A storage. A subclass with the first five methods works; the others make it faster and safe between processes."""

    @abstractmethod
    async def set_state(self, key: StorageKey, state: str | None) -> None:
        """Keeps the state; None removes it."""

    @abstractmethod
    async def get_state(self, key: StorageKey) -> str | None:
        """The state, or None."""

    @abstractmethod
    async def set_data(self, key: StorageKey, data: dict[str, Any]) -> None:
        """Keeps the data in place of what was there."""

    @abstractmethod
    async def get_data(self, key: StorageKey) -> dict[str, Any]:
        """A copy of the data; empty where nothing is kept."""

    @abstractmethod
    async def close(self) -> None:
        """Lets go of connections."""

    async def get(self, key: StorageKey) -> Record:
        """State and data together."""
        return Record(state=await self.get_state(key=key), data=await self.get_data(key=key))

    async def put(self, key: StorageKey, record: Record, expect_version: int | None = None) -> bool:
        """Keeps both. False, and nothing is written, where the version is another than the expected one.

        This fallback cannot compare: it writes in any case.
        """
        del expect_version
        await self.set_state(key=key, state=record.state)
        await self.set_data(key=key, data=record.data)
        return True

    async def update_data(self, key: StorageKey, patch: Mapping[str, Any]) -> dict[str, Any]:
        """Merges into the data and gives the whole."""
        while True:
            record = await self.get(key)
            merged = {**record.data, **patch}
            changed = replace(record, data=merged, version=record.version + 1, updated_at=now())
            if await self.put(key, changed, expect_version=record.version):
                return dict(merged)

    @asynccontextmanager
    async def lock(self, key: StorageKey) -> AsyncIterator[None]:
        """Holds the key against others of this process."""
        locks: dict[StorageKey, asyncio.Lock] = self.__dict__.setdefault("_locks", {})
        held = locks.setdefault(key, asyncio.Lock())
        try:
            async with held:
                yield
        finally:
            if not held.locked():
                locks.pop(key, None)

    def scan(self, bot_id: str, state: str | None = None) -> AsyncIterator[tuple[StorageKey, Record]]:
        """All records of a bot, or those in one state. Raises NotImplementedError where the storage cannot list."""
        raise NotImplementedError(f"{type(self).__name__} cannot list its records ({bot_id}, {state})")


__all__ = ["DEFAULT_DESTINY", "BaseStorage", "Record", "StorageKey", "key_of", "key_text"]
