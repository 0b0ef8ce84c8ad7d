"""Leases of rows: whoever holds a row under its fence holds it for longer."""

from collections.abc import Iterable

from spikard.fsm.stores.json_text import encoded
from spikard.fsm.stores.work import Work

# Rows of one statement: a statement's locks are held until it is done.
_TOGETHER = 1000


def extended(table: str, column: str, status: str, held: Iterable[tuple[str, int]], seconds: float) -> Work:
    """Have leases of rows with a status end later, by ids and fences. Rows that are being settled are left alone."""
    pairs = list(held)
    for first in range(0, len(pairs), _TOGETHER):
        # In parts that are worked out once each: of a table that it takes for empty, PostgreSQL would otherwise look
        # for rows to lock anew for every row that there is.
        yield (
            (
                "WITH held AS MATERIALIZED ({held}), chosen AS MATERIALIZED ("
                f"SELECT t.id FROM held h JOIN {{s}}{table} t ON t.id = h.id AND t.fence = h.fence "
                f"WHERE t.status = '{status}' {{skip_locked}}) "
                f"UPDATE {{s}}{table} SET {column} = {{later}} WHERE id IN (SELECT id FROM chosen)"
            ),
            (encoded(pairs[first : first + _TOGETHER]), seconds),
        )
