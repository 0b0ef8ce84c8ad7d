"""The state of one dialogue, as handlers see it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from spikard.bots.clock import now
from spikard.bots.fsm.state import State
from spikard.bots.storages.base import BaseStorage, Record, StorageKey


def text_of(state: State | str | None) -> str | None:
    """A state as storages keep it."""
    return state.state if isinstance(state, State) else state


@dataclass
class Transaction:
    """State and data while they are being changed together."""

    state: Any
    data: dict[str, Any]


class FSMContext:
    """State and data of one key of a storage."""

    def __init__(self, storage: BaseStorage, key: StorageKey) -> None:
        self._storage = storage
        self._key = key

    @property
    def key(self) -> StorageKey:
        """Whose it is."""
        return self._key

    @property
    def storage(self) -> BaseStorage:
        """Where it is kept."""
        return self._storage

    def for_user(self, user_id: str, chat_id: str | None = None) -> "FSMContext":
        """The same of another user, in this chat or another."""
        chat = self._key.chat_id if chat_id is None else chat_id
        return FSMContext(self._storage, replace(self._key, user_id=user_id, chat_id=chat))

    async def get_state(self) -> str | None:
        """The state's text, or None."""
        return await self._storage.get_state(key=self._key)

    async def set_state(self, state: State | str | None = None) -> None:
        """Goes to a state; None ends the dialogue and keeps its data."""
        await self._storage.set_state(key=self._key, state=text_of(state))

    async def get_data(self) -> dict[str, Any]:
        """A copy of what was gathered."""
        return await self._storage.get_data(key=self._key)

    async def set_data(self, data: Mapping[str, Any]) -> None:
        """Keeps this in place of what was gathered."""
        await self._storage.set_data(key=self._key, data=dict(data))

    async def update_data(self, data: Mapping[str, Any] | None = None, **values: Any) -> dict[str, Any]:
        """Adds to what was gathered, and gives the whole."""
        return await self._storage.update_data(key=self._key, patch={**(data or {}), **values})

    async def get_value(self, key: str, default: Any = None) -> Any:
        """One value of the data."""
        return (await self.get_data()).get(key, default)

    async def pop(self, key: str, default: Any = None) -> Any:
        """Takes one value out of the data."""
        async with self.transaction() as change:
            return change.data.pop(key, default)

    async def clear(self) -> None:
        """Forgets state and data."""
        await self._storage.put(self._key, Record())

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """State and data to be changed together, written once when the block ends; not at all if it raises.

        Raises:
            RuntimeError: Somebody else has written them in between. What the block did is not kept.
        """
        record = await self._storage.get(self._key)
        change = Transaction(record.state, record.data)
        yield change
        changed = Record(text_of(change.state), change.data, record.version + 1, now())
        if not await self._storage.put(self._key, changed, expect_version=record.version):
            raise RuntimeError(f"the state of {self._key} was changed by another process meanwhile; do it again")

    def __repr__(self) -> str:
        return f"<FSMContext {self._key}>"


__all__ = ["FSMContext", "Transaction", "text_of"]
