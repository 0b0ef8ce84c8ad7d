"""Stores by URL."""

from typing import Any

from spikard.fsm.stores.memory import InMemoryStateStore

SCHEMES = ("memory",)


def create_state_store(db_url: str | None = None, *, fallback_to_in_memory: bool = False) -> Any:
    """The store that a URL means; without one, memory if that is wanted."""
    if db_url is None and fallback_to_in_memory:
        return InMemoryStateStore()
    scheme = (db_url or "").partition("://")[0]
    if db_url and scheme == "memory":
        return InMemoryStateStore()
    known = ", ".join(f"{name}://" for name in SCHEMES)
    raise ValueError(f"Unsupported state-store URL scheme for {db_url!r}; expected {known}.")
