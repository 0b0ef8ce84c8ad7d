"""Discoveries in an SQLite file."""

from spikard.fsm.discovery.sql import SqlDiscoveryStore
from spikard.fsm.stores.sqlite import SQLiteStateStore


class SQLiteDiscoveryStore(SqlDiscoveryStore):
    """Keeps discoveries in a file, beside the entities of machines if it has those; `sqlite:///path`."""

    def __init__(self, connection_string: str) -> None:
        if not connection_string.startswith("sqlite:"):
            raise ValueError(f"SQLiteDiscoveryStore requires a sqlite:// URL, got: {connection_string!r}")
        super().__init__(SQLiteStateStore(connection_string))
