"""Stores by URL."""

from typing import Any

from spikard.fsm.stores.memory import InMemoryStateStore

SCHEMES = ("sqlite", "postgresql", "postgres", "redis", "rediss", "memory")


def create_state_store(db_url: str | None = None, *, fallback_to_in_memory: bool = False) -> Any:
    """The store that a URL means; without one, memory if that is wanted, else a file in the working directory.

    Only memory is ready as it is; every other store has to be connected.
    """
    if db_url is None:
        if fallback_to_in_memory:
            return InMemoryStateStore()
        db_url = "sqlite:///spikard_fsm.db"
    scheme = db_url.partition("://")[0] if "://" in db_url else ""
    if scheme == "sqlite":
        from spikard.fsm.stores.sqlite import SQLiteStateStore

        return SQLiteStateStore(db_url)
    if scheme in ("postgresql", "postgres"):
        from spikard.fsm.stores.postgres import PostgresStateStore

        return PostgresStateStore(db_url)
    if scheme in ("redis", "rediss"):
        from spikard.fsm.stores.redis import RedisStateStore

        return RedisStateStore(db_url)
    if scheme == "memory":
        return InMemoryStateStore()
    known = ", ".join(f"{name}://" for name in SCHEMES)
    raise ValueError(f"Unsupported state-store URL scheme for {db_url!r}; expected {known}.")
