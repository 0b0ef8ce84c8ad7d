"""Dead letters in a folder."""

import asyncio
import dataclasses
import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from spikard.fsm.dead_letters.record import DeadLetterRecord, DLQStatistics, DLQStatus, QueryResult
from spikard.fsm.dead_letters.selection import count, select


class FileDeadLetterStore:
    """Keeps each dead letter as a JSON file, which is replaced as a whole: a crash leaves the old one or the new."""

    def __init__(self, storage_path: str | Path) -> None:
        self._folder = Path(storage_path)

    async def add(self, record: DeadLetterRecord) -> None:
        """Keep one, unless its id is kept already."""
        await asyncio.to_thread(self._keep, record)

    async def add_batch(self, records: list[DeadLetterRecord]) -> int:
        """Keep several; how many there were."""
        for record in records:
            await self.add(record)
        return len(records)

    async def get(self, record_id: str) -> DeadLetterRecord | None:
        """One by its id."""
        return await asyncio.to_thread(self._read, record_id)

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
        records = await asyncio.to_thread(lambda: list(self._all()))
        return select(
            records, source_name=source_name, reason=reason, stage=stage, status=status,
            limit=limit, offset=offset, cursor=cursor,
        )  # fmt: skip

    async def mark_retry(self, record_id: str) -> bool:
        """One more attempt is being made; False where there is no such record."""
        return await asyncio.to_thread(self._change, record_id, DLQStatus.RETRYING, 1)

    async def resolve(self, record_id: str) -> bool:
        """It was done after all."""
        return await asyncio.to_thread(self._change, record_id, DLQStatus.RESOLVED)

    async def ignore(self, record_id: str) -> bool:
        """It will not be done."""
        return await asyncio.to_thread(self._change, record_id, DLQStatus.IGNORED)

    async def statistics(self, source_name: str | None = None) -> DLQStatistics:
        """How many there are of each kind."""
        return count(await asyncio.to_thread(lambda: list(self._all())), source_name)

    async def purge_expired(self) -> int:
        """Forget those whose time is up; how many there were."""
        now = datetime.now(UTC)
        return await asyncio.to_thread(self._forget, lambda r: r.expires_at is not None and r.expires_at <= now)

    async def purge_resolved(self, older_than: datetime | None = None) -> int:
        """Forget those that are resolved, or of them only those made before a moment; how many there were."""

        def is_old(record: DeadLetterRecord) -> bool:
            return record.status is DLQStatus.RESOLVED and (older_than is None or record.created_at < older_than)

        return await asyncio.to_thread(self._forget, is_old)

    def _path(self, record_id: str) -> Path:
        if not re.fullmatch(r"[A-Za-z0-9_-]+", record_id):
            raise ValueError(f"the id of a dead letter has letters, digits, '_' and '-' only, got {record_id!r}")
        return self._folder / f"{record_id}.json"

    def _keep(self, record: DeadLetterRecord) -> None:
        if not self._path(record.record_id).exists():
            self._write(record)

    def _write(self, record: DeadLetterRecord) -> None:
        path = self._path(record.record_id)
        self._folder.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(f".{os.urandom(4).hex()}.tmp")
        beside.write_text(json.dumps(record.to_dict(), default=str), encoding="utf-8")
        beside.replace(path)

    def _read(self, record_id: str) -> DeadLetterRecord | None:
        try:
            return DeadLetterRecord.from_dict(json.loads(self._path(record_id).read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None

    def _all(self) -> Iterator[DeadLetterRecord]:
        for path in self._folder.glob("*.json"):
            record = self._read(path.stem)
            if record is not None:
                yield record

    def _change(self, record_id: str, status: DLQStatus, retries: int = 0) -> bool:
        record = self._read(record_id)
        if record is None:
            return False
        now, tried = datetime.now(UTC), record.retry_count + retries
        self._write(dataclasses.replace(record, status=status, updated_at=now, retry_count=tried))
        return True

    def _forget(self, is_meant: Any) -> int:
        forgotten = 0
        for record in self._all():
            if is_meant(record):
                self._path(record.record_id).unlink(missing_ok=True)
                forgotten += 1
        return forgotten
