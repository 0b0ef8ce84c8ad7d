"""Dead letters in this process's memory."""

import dataclasses
import threading
from datetime import UTC, datetime
from typing import Any

from spikard.fsm.dead_letters.record import DeadLetterRecord, DLQStatistics, DLQStatus, QueryResult
from spikard.fsm.dead_letters.selection import count, select


class InMemoryDeadLetterStore:
    """Keeps the latest `max_size` dead letters for as long as the process lives."""

    def __init__(self, max_size: int = 10000) -> None:
        self._max_size = max_size
        self._records: dict[str, DeadLetterRecord] = {}
        self._lock = threading.Lock()

    async def add(self, record: DeadLetterRecord) -> None:
        """Keep one, unless its id is kept already; the oldest goes when there are too many."""
        with self._lock:
            self._records.setdefault(record.record_id, record)
            while len(self._records) > self._max_size:
                del self._records[next(iter(self._records))]

    async def add_batch(self, records: list[DeadLetterRecord]) -> int:
        """Keep several; how many there were."""
        for record in records:
            await self.add(record)
        return len(records)

    async def get(self, record_id: str) -> DeadLetterRecord | None:
        """One by its id."""
        return self._records.get(record_id)

    async def query(
        self,
        *,
        source_name: str | None = None,
        reason: str | None = None,
        stage: str | None = None,
        status: DLQStatus | None = None,
        limit: int = 100,
        offset: int = 0,
        cursor: str | None = None,
    ) -> QueryResult:
        """A page of those that fit, the newest first."""
        return select(
            self._all(), source_name=source_name, reason=reason, stage=stage, status=status,
            limit=limit, offset=offset, cursor=cursor,
        )  # fmt: skip

    async def mark_retry(self, record_id: str) -> bool:
        """One more attempt is being made; False where there is no such record."""
        record = self._records.get(record_id)
        retries = 0 if record is None else record.retry_count + 1
        return self._change(record_id, status=DLQStatus.RETRYING, retry_count=retries)

    async def resolve(self, record_id: str) -> bool:
        """It was done after all."""
        return self._change(record_id, status=DLQStatus.RESOLVED)

    async def ignore(self, record_id: str) -> bool:
        """It will not be done."""
        return self._change(record_id, status=DLQStatus.IGNORED)

    async def statistics(self, source_name: str | None = None) -> DLQStatistics:
        """How many there are of each kind."""
        return count(self._all(), source_name)

    async def purge_expired(self) -> int:
        """Forget those whose time is up; how many there were."""
        now = datetime.now(UTC)
        return self._forget([r for r in self._all() if r.expires_at is not None and r.expires_at <= now])

    async def purge_resolved(self, older_than: datetime | None = None) -> int:
        """Forget those that are resolved, or of them only those made before a moment; how many there were."""
        resolved = [record for record in self._all() if record.status is DLQStatus.RESOLVED]
        return self._forget([record for record in resolved if older_than is None or record.created_at < older_than])

    def _all(self) -> list[DeadLetterRecord]:
        with self._lock:
            return list(self._records.values())

    def _change(self, record_id: str, **values: Any) -> bool:
        with self._lock:
            record = self._records.get(record_id)
            if record is None:
                return False
            self._records[record_id] = dataclasses.replace(record, updated_at=datetime.now(UTC), **values)
            return True

    def _forget(self, records: list[DeadLetterRecord]) -> int:
        with self._lock:
            return sum(self._records.pop(record.record_id, None) is not None for record in records)
