"""Stores of discoveries by the names of their databases."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from spikard.fsm.discovery.memory import InMemoryDiscoveryStore

if TYPE_CHECKING:
    from spikard.fsm.discovery.documents import DocumentDiscoveryStore
    from spikard.fsm.discovery.sql import SqlDiscoveryStore

    DiscoveryStore = InMemoryDiscoveryStore | SqlDiscoveryStore | DocumentDiscoveryStore

_STORES = {
    "sqlite": ("sqlite", "SQLiteDiscoveryStore"),
    "postgresql": ("postgres", "PostgresDiscoveryStore"),
    "mongodb": ("mongodb", "MongoDBDiscoveryStore"),
    "redis": ("redis", "RedisDiscoveryStore"),
}
BACKENDS = ("memory", *_STORES)


def create_discovery_store(
    backend: str, *, connection_string: str | None = None, options: dict[str, Any] | None = None
) -> "DiscoveryStore":
    """The store of a kind; `options` are further arguments of its class. All but memory have to be connected."""
    kind = (backend or "").strip().lower()
    if kind == "memory":
        return InMemoryDiscoveryStore()
    if kind not in _STORES:
        raise ValueError(f"Unsupported discovery backend: {backend!r}; expected one of {', '.join(BACKENDS)}.")
    module, name = _STORES[kind]
    if not connection_string:
        raise ValueError(f"connection_string is required for {module} discovery store")
    made: DiscoveryStore = getattr(import_module(f"spikard.fsm.discovery.{module}"), name)(
        connection_string, **(options or {})
    )
    return made
