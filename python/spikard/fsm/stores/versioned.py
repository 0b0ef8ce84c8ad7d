"""States by their version, for stores that load and commit whole entities."""

from abc import ABC, abstractmethod
from typing import Any

from spikard.fsm.stores.row import EntityChange, EntityRow


class VersionedByCommit(ABC):
    """`get_state_versioned` and `set_state_versioned` in terms of `load` and `commit`."""

    @abstractmethod
    def load(self, entity_id: str) -> EntityRow:
        """All that is kept of an entity."""

    @abstractmethod
    def commit(self, change: EntityChange) -> int:
        """Keep a change as a whole; the new version, else `StaleVersionError`."""

    def get_state_versioned(self, entity_id: str) -> tuple[str | None, int | None]:
        """The state and its version; neither for an entity that is not kept."""
        row = self.load(entity_id)
        return (None, None) if row.state is None else (row.state, row.version)

    def set_state_versioned(
        self,
        entity_id: str,
        state: str,
        *,
        expected_version: int | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> int:
        """Keep a state if the version is still the expected one; the new version, else `StaleVersionError`."""
        about = metadata or {}
        return self.commit(EntityChange(entity_id, expected_version, state, about.get("context"), metadata=about))
