"""Stores by URL."""

import logging
from typing import Any

from spikard.fsm.settings import application_database, configured_database
from spikard.fsm.stores.memory import InMemoryStateStore

SCHEMES = ("sqlite", "postgresql", "postgres", "mongodb", "mongodb+srv", "redis", "rediss", "memory")


logger = logging.getLogger("spikard.fsm.stores")


def create_state_store(db_url: str | None = None, *, fallback_to_in_memory: bool = False) -> Any:
    """The store that a URL means, connected and with its tables.

    Without a URL it is the database of the settings, and without such a setting a file in the working directory. With
    `fallback_to_in_memory` it is memory where neither is given, or nothing can be had by what is given.
    """
    if db_url is None and fallback_to_in_memory and configured_database() is None:
        return InMemoryStateStore()
    try:
        store = unconnected_state_store(application_database() if db_url is None else db_url)
        if not isinstance(store, InMemoryStateStore):
            store.connect(validate_schema=True, auto_initialize=True)
    except Exception as error:
        if not fallback_to_in_memory:
            raise
        logger.warning("No state store could be made (%s); states are kept in memory and lost with it", error)
        return InMemoryStateStore()
    return store


def unconnected_state_store(db_url: str) -> Any:
    """The store that a URL means. Only memory is ready as it is; every other store has to be connected."""
    scheme = db_url.partition("://")[0] if "://" in db_url else ""
    if scheme == "sqlite":
        from spikard.fsm.stores.sqlite import SQLiteStateStore

        return SQLiteStateStore(db_url)
    if scheme in ("postgresql", "postgres"):
        from spikard.fsm.stores.postgres import PostgresStateStore

        return PostgresStateStore(db_url)
    if scheme in ("mongodb", "mongodb+srv"):
        from spikard.fsm.stores.mongodb import MongoDBStateStore

        return MongoDBStateStore(db_url)
    if scheme in ("redis", "rediss"):
        from spikard.fsm.stores.redis import RedisStateStore

        return RedisStateStore(db_url)
    if scheme == "memory":
        return InMemoryStateStore()
    known = ", ".join(f"{name}://" for name in SCHEMES)
    raise ValueError(f"Unsupported state-store URL scheme for {db_url!r}; expected {known}.")
