"""Discoveries in PostgreSQL."""

from spikard.fsm.discovery.sql import SqlDiscoveryStore
from spikard.fsm.stores.postgres import PostgresStateStore


class PostgresDiscoveryStore(SqlDiscoveryStore):
    """Keeps discoveries in the schema `spikard_fsm` of a database, beside the entities of machines."""

    def __init__(self, connection_string: str) -> None:
        scheme, separator, rest = connection_string.partition("://")
        if not separator:
            raise ValueError(f"PostgresDiscoveryStore requires a valid PostgreSQL URL, got: {connection_string!r}")
        # Other libraries name their driver in the scheme.
        if scheme.partition("+")[0] not in ("postgresql", "postgres"):
            raise ValueError(f"PostgresDiscoveryStore requires a postgresql:// URL, got: {connection_string!r}")
        super().__init__(PostgresStateStore(f"postgresql://{rest}"))
