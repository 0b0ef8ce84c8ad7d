"""Many entities at once, of stores that know one at a time."""

from typing import Any

from spikard.fsm.stores.protocol import BatchStateStore, StateStore


class OneByOne:
    """Goes to a store once for each entity. Everything else is the store's own."""

    def __init__(self, store: StateStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def get_states_batch(self, entity_ids: list[str]) -> dict[str, str | None]:
        """The states of entities."""
        return {entity_id: self._store.get_state(entity_id) for entity_id in entity_ids}

    def set_states_batch(self, updates: dict[str, str], *, metadata: dict[str, Any] | None = None) -> None:
        """Keep states."""
        for entity_id, state in updates.items():
            self._store.set_state(entity_id, state, metadata=metadata)


def batch_fallback(store: StateStore) -> BatchStateStore:
    """The store as one for many entities at once."""
    return OneByOne(store)
