"""What stores can do. A store has as many of these as it likes."""

from typing import Any, Protocol, runtime_checkable

from spikard.fsm.stores.row import EntityChange, EntityRow


@runtime_checkable
class StateStore(Protocol):
    """Keeps states and contexts of entities."""

    def get_state(self, entity_id: str) -> str | None:
        """The state of an entity, or None for one that is not kept."""
        ...

    def set_state(self, entity_id: str, state: str, *, metadata: dict[str, Any] | None = None) -> None:
        """Keep a state."""
        ...

    def get_context(self, entity_id: str) -> dict[str, Any]:
        """The context of an entity, empty for one that is not kept."""
        ...


@runtime_checkable
class AsyncStateStore(Protocol):
    """Keeps states and contexts of entities, awaited."""

    async def aget_state(self, entity_id: str) -> str | None:
        """The state of an entity, or None for one that is not kept."""
        ...

    async def aset_state(self, entity_id: str, state: str, *, metadata: dict[str, Any] | None = None) -> None:
        """Keep a state."""
        ...

    async def aget_context(self, entity_id: str) -> dict[str, Any]:
        """The context of an entity, empty for one that is not kept."""
        ...


@runtime_checkable
class ContextPersistStore(Protocol):
    """Keeps contexts."""

    def set_context(self, entity_id: str, context: dict[str, Any]) -> None:
        """Keep a context."""
        ...


@runtime_checkable
class AsyncContextPersistStore(Protocol):
    """Keeps contexts, awaited."""

    async def aset_context(self, entity_id: str, context: dict[str, Any]) -> None:
        """Keep a context."""
        ...


@runtime_checkable
class VersionedStateStore(Protocol):
    """Notices when somebody else has written in between."""

    def get_state_versioned(self, entity_id: str) -> tuple[str | None, int | None]:
        """The state and its version; neither for an entity that is not kept."""
        ...

    def set_state_versioned(
        self,
        entity_id: str,
        state: str,
        *,
        expected_version: int | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> int:
        """Keep a state if the version is still the expected one; the new version, else `StaleVersionError`."""
        ...


@runtime_checkable
class BatchStateStore(Protocol):
    """Reads and keeps many states at once."""

    def get_states_batch(self, entity_ids: list[str]) -> dict[str, str | None]:
        """The states of entities."""
        ...

    def set_states_batch(self, updates: dict[str, str], *, metadata: dict[str, Any] | None = None) -> None:
        """Keep states."""
        ...


@runtime_checkable
class QueryableStateStore(Protocol):
    """Finds entities."""

    def list_entities(self, state: str | None = None, limit: int = 100, offset: int = 0) -> list[str]:
        """Ids of entities, in one state or in any."""
        ...

    def count_by_state(self) -> dict[str, int]:
        """How many entities are in each state."""
        ...


@runtime_checkable
class AuditStore(Protocol):
    """Keeps what entities have gone through."""

    def record_transition(
        self,
        entity_id: str,
        source_state: str,
        trigger: str,
        *,
        target_state: str | None = None,
        success: bool = True,
        duration_ms: float | None = None,
    ) -> Any:
        """Keep one transition."""
        ...


@runtime_checkable
class EventStore(Protocol):
    """Keeps events in the order in which they came."""

    def append_event(
        self,
        entity_id: str,
        trigger: str,
        *,
        payload: dict[str, Any] | None = None,
        event_id: str | None = None,
        source: str = "",
        machine_name: str | None = None,
    ) -> int:
        """Keep an event; its place among those of the entity, from one."""
        ...

    def get_events(self, entity_id: str, *, after_sequence: int = 0, limit: int = 1000) -> list[dict[str, Any]]:
        """Events of an entity, from a place on."""
        ...


@runtime_checkable
class TransactionalStore(Protocol):
    """Keeps all that a step changes, or nothing of it."""

    @property
    def capabilities(self) -> frozenset[str]:
        """What may be relied on: `versions`, `transactions`, `durable`."""
        ...

    def load(self, entity_id: str) -> EntityRow:
        """All that is kept of an entity, in one read."""
        ...

    def commit(self, change: EntityChange) -> int:
        """Keep a change; the new version, or `StaleVersionError`."""
        ...

    async def aload(self, entity_id: str) -> EntityRow:
        """`load`, awaited."""
        ...

    async def acommit(self, change: EntityChange) -> int:
        """`commit`, awaited."""
        ...
