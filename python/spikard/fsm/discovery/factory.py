"""Stores of discoveries by the names of their databases."""

from typing import TYPE_CHECKING

from spikard.fsm.discovery.memory import InMemoryDiscoveryStore

if TYPE_CHECKING:
    from spikard.fsm.discovery.postgres import PostgresDiscoveryStore
    from spikard.fsm.discovery.sqlite import SQLiteDiscoveryStore

    DiscoveryStore = InMemoryDiscoveryStore | SQLiteDiscoveryStore | PostgresDiscoveryStore

BACKENDS = ("memory", "sqlite", "postgresql")


def create_discovery_store(backend: str, *, connection_string: str | None = None) -> "DiscoveryStore":
    """The store of a kind. All but memory have to be connected."""
    kind = backend.strip().lower()
    if kind == "memory":
        return InMemoryDiscoveryStore()
    if kind not in BACKENDS:
        raise ValueError(f"Unsupported discovery backend: {backend!r}; expected one of {', '.join(BACKENDS)}.")
    if not connection_string:
        name = "postgres" if kind == "postgresql" else kind
        raise ValueError(f"connection_string is required for {name} discovery store")
    if kind == "sqlite":
        from spikard.fsm.discovery.sqlite import SQLiteDiscoveryStore

        return SQLiteDiscoveryStore(connection_string)
    from spikard.fsm.discovery.postgres import PostgresDiscoveryStore

    return PostgresDiscoveryStore(connection_string)
