"""Many entities at once, of stores that know one at a time."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from spikard.fsm.errors import FSMError, StaleVersionError
from spikard.fsm.stores.protocol import BatchStateStore, StateStore
from spikard.fsm.stores.row import EntityChange


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


def commit_each(commit: Callable[[EntityChange], int], changes: Iterable[EntityChange]) -> list[int | Exception]:
    """Make changes one after the other: of each the new version, or why it was not kept."""
    outcomes: list[int | Exception] = []
    for change in changes:
        try:
            outcomes.append(commit(change))
        except FSMError as error:
            outcomes.append(error)
    return outcomes


def create_many(
    commit_many: Callable[[Sequence[EntityChange]], list[int | Exception]],
    pattern: EntityChange,
    entities: Iterable[tuple[str, Mapping[str, Any]]],
) -> int:
    """Keep new entities that differ in their ids and contexts; how many there were.

    Those that are kept already stay as they are.
    """
    changes = [replace(pattern, entity_id=entity_id, context=dict(context)) for entity_id, context in entities]
    outcomes = commit_many(changes)
    for outcome in outcomes:
        if isinstance(outcome, Exception) and not isinstance(outcome, StaleVersionError):
            raise outcome
    return sum(isinstance(outcome, int) for outcome in outcomes)


def batch_fallback(store: StateStore) -> BatchStateStore:
    """The store as one for many entities at once."""
    return OneByOne(store)
