"""States in memory: gone with the process."""

from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

from spikard.bots.clock import now
from spikard.bots.storages.base import BaseStorage, Record, StorageKey
from spikard.bots.storages.content import as_mapping


class MemoryStorage(BaseStorage):
    """Only keys that hold something have a record; of more than `max_records` those written longest ago go."""

    def __init__(self, max_records: int = 1_000_000) -> None:
        if max_records < 1:
            raise ValueError(f"max_records is {max_records}, and a storage keeps at least one")
        self._records: OrderedDict[StorageKey, Record] = OrderedDict()
        self._max_records = max_records

    def __len__(self) -> int:
        return len(self._records)

    def _write(self, key: StorageKey, record: Record) -> None:
        if record.is_empty:
            self._records.pop(key, None)
            return
        self._records[key] = record
        self._records.move_to_end(key)
        if len(self._records) > self._max_records:
            self._records.popitem(last=False)

    def _known(self, key: StorageKey) -> Record:
        return self._records.get(key) or Record()

    async def set_state(self, key: StorageKey, state: str | None) -> None:
        """Keeps the state; None removes it."""
        known = self._known(key)
        self._write(key, replace(known, state=state, version=known.version + 1, updated_at=now()))

    async def get_state(self, key: StorageKey) -> str | None:
        """The state, or None."""
        return self._known(key).state

    async def set_data(self, key: StorageKey, data: dict[str, Any]) -> None:
        """Keeps a copy of the data."""
        known = self._known(key)
        self._write(key, replace(known, data=as_mapping(data), version=known.version + 1, updated_at=now()))

    async def get_data(self, key: StorageKey) -> dict[str, Any]:
        """A copy of the data."""
        return as_mapping(self._known(key).data)

    async def get(self, key: StorageKey) -> Record:
        """State and data together, the data a copy."""
        known = self._known(key)
        return replace(known, data=as_mapping(known.data))

    async def put(self, key: StorageKey, record: Record, expect_version: int | None = None) -> bool:
        """Keeps both, if the version is the expected one."""
        if expect_version is not None and self._known(key).version != expect_version:
            return False
        self._write(key, replace(record, data=as_mapping(record.data)))
        return True

    async def update_data(self, key: StorageKey, patch: Mapping[str, Any]) -> dict[str, Any]:
        """Merges into the data and gives a copy of the whole."""
        known = self._known(key)
        merged = {**known.data, **as_mapping(patch)}
        self._write(key, replace(known, data=merged, version=known.version + 1, updated_at=now()))
        return as_mapping(merged)

    async def scan(self, bot_id: str, state: str | None = None) -> AsyncIterator[tuple[StorageKey, Record]]:
        """All records of a bot, or those in one state."""
        for key, record in list(self._records.items()):
            if key.bot_id == bot_id and state in (None, record.state):
                yield key, replace(record, data=as_mapping(record.data))

    async def close(self) -> None:
        """Forgets everything."""
        self._records.clear()


__all__ = ["MemoryStorage"]
