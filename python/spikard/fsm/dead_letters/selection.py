"""Choosing, paging and counting records that are at hand."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from spikard.fsm.dead_letters.record import DeadLetterRecord, DLQStatistics, DLQStatus, QueryResult


def select(
    records: Iterable[DeadLetterRecord],
    *,
    source_name: str | None = None,
    reason: str | None = None,
    stage: str | None = None,
    status: DLQStatus | str | None = None,
    limit: int = 100,
    offset: int = 0,
    cursor: str | None = None,
) -> QueryResult:
    """A page of those that fit, the newest first."""
    wanted = {"source_name": source_name, "reason": reason, "stage": stage, "status": status}
    fitting = [
        record
        for record in records
        if all(value is None or getattr(record, name) == value for name, value in wanted.items())
    ]
    fitting.sort(key=_place, reverse=True)
    left = (
        fitting[offset:] if cursor is None else [record for record in fitting if _place(record) < parse_cursor(cursor)]
    )
    page = left[:limit]
    has_more = len(left) > limit
    return QueryResult(page, len(fitting), has_more, to_cursor(page[-1]) if page and has_more else None)


def count(records: Iterable[DeadLetterRecord], source_name: str | None = None) -> DLQStatistics:
    """How many there are of each kind."""
    chosen = [record for record in records if source_name is None or record.source_name == source_name]
    return DLQStatistics(
        len(chosen),
        dict(Counter(record.reason for record in chosen)),
        dict(Counter(record.status.value for record in chosen)),
        dict(Counter(record.stage for record in chosen if record.stage)),
    )


def to_cursor(record: DeadLetterRecord) -> str:
    """The cursor of what comes behind a record."""
    return f"{record.created_at.isoformat()}|{record.record_id}"


def _place(record: DeadLetterRecord) -> tuple[datetime, str]:
    return record.created_at, record.record_id


def parse_cursor(cursor: str) -> tuple[datetime, str]:
    """The place that a cursor stands for."""
    moment, _, record_id = cursor.partition("|")
    try:
        return datetime.fromisoformat(moment), record_id
    except ValueError:
        raise ValueError(f"not a cursor of dead letters: {cursor!r}; pass `next_cursor` of a result") from None
