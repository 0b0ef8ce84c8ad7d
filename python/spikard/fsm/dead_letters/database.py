"""Dead letters in a database."""

import asyncio
import logging
import re
from collections.abc import Callable, Generator
from datetime import UTC, datetime
from typing import Any

import msgspec

from spikard.fsm.dead_letters.record import DeadLetterRecord, DLQStatistics, DLQStatus, QueryResult
from spikard.fsm.dead_letters.selection import parse_cursor, to_cursor
from spikard.fsm.stores.factory import unconnected_state_store

logger = logging.getLogger("spikard.fsm.dead_letters")

Work = Generator[tuple[str, tuple[Any, ...]], Any, Any]

DEFAULT_TABLE_NAME = "dead_letter_queue"
_COLUMNS = (
    "record_id", "source_name", "reason", "error_message", "error_type", "stage", "payload", "metadata", "attempt",
    "max_attempts", "status", "retry_count", "created_at", "updated_at", "expires_at",
)  # fmt: skip
_JSON = ("payload", "metadata")
_TIMES = ("created_at", "updated_at", "expires_at")


def validate_table_name(name: str) -> str:
    """A name that can stand in a statement as it is."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ValueError(f"Invalid SQL identifier: {name!r} (use letters, digits, underscore only)")
    return name


class DatabaseDeadLetterStore:
    """Keeps dead letters in a table of SQLite or PostgreSQL, which is made at the first use where it is missing."""

    def __init__(
        self,
        database_url: str,
        table_name: str = DEFAULT_TABLE_NAME,
        schema_name: str | None = None,
        on_add: Callable[[DeadLetterRecord], object] | None = None,
    ) -> None:
        """`on_add` is told of each letter that is kept by `add`; what it raises is logged only."""
        schema = f"{validate_table_name(schema_name)}." if schema_name else "{s}"
        self._table = schema + validate_table_name(table_name)
        self._store = unconnected_state_store(database_url)
        self._ready = asyncio.Lock()
        self._is_ready = False
        self._on_add = on_add

    async def add(self, record: DeadLetterRecord) -> None:
        """Keep one."""
        await self.add_batch([record])
        if self._on_add is not None:
            try:
                self._on_add(record)
            except Exception:
                logger.warning("on_add of dead letters failed", exc_info=True)

    async def add_batch(self, records: list[DeadLetterRecord]) -> int:
        """Keep several, all or none, but those whose ids are kept already; how many there were."""
        marks = ", ".join("?j" if name in _JSON else "?" for name in _COLUMNS)
        rows = [tuple(self._out(name, getattr(record, name)) for name in _COLUMNS) for record in records]

        def work() -> Work:
            for row in rows:
                yield f"INSERT INTO {self._table} ({', '.join(_COLUMNS)}) VALUES ({marks}) ON CONFLICT DO NOTHING", row

        await self._do("write", work)
        return len(records)

    async def get(self, record_id: str) -> DeadLetterRecord | None:
        """One by its id."""
        rows = await self._ask(f"{self._select()} WHERE record_id = ?", (record_id,))
        return _record(rows[0]) if rows else None

    async def query(
        self,
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
        wanted = {"source_name": source_name, "reason": reason, "stage": stage, "status": status and str(status)}
        given = {name: value for name, value in wanted.items() if value is not None}
        where = " AND ".join(["1 = 1", *(f"{name} = ?" for name in given)])
        total = await self._ask(f"SELECT COUNT(*) FROM {self._table} WHERE {where}", tuple(given.values()))
        values: tuple[Any, ...] = tuple(given.values())
        if cursor is not None:
            moment, record_id = parse_cursor(cursor)
            where += " AND (created_at, record_id) < (?, ?)"
            values, offset = (*values, self._store._time(moment), record_id), 0
        rows = await self._ask(
            f"{self._select()} WHERE {where} ORDER BY created_at DESC, record_id DESC LIMIT ? OFFSET ?",
            (*values, limit + 1, offset),
        )
        page = [_record(row) for row in rows[:limit]]
        has_more = len(rows) > limit
        return QueryResult(page, total[0][0], has_more, to_cursor(page[-1]) if page and has_more else None)

    async def mark_retry(self, record_id: str) -> bool:
        """One more attempt is being made; False where there is no such record."""
        return await self._change(record_id, DLQStatus.RETRYING, 1)

    async def resolve(self, record_id: str) -> bool:
        """It was done after all."""
        return await self._change(record_id, DLQStatus.RESOLVED)

    async def ignore(self, record_id: str) -> bool:
        """It will not be done."""
        return await self._change(record_id, DLQStatus.IGNORED)

    async def statistics(self, source_name: str | None = None) -> DLQStatistics:
        """How many there are of each kind."""
        where, values = ("", ()) if source_name is None else (" WHERE source_name = ?", (source_name,))
        counts: list[dict[str, int]] = []
        for column in ("reason", "status", "stage"):
            rows = await self._ask(f"SELECT {column}, COUNT(*) FROM {self._table}{where} GROUP BY 1", values)
            counts.append({row[0]: row[1] for row in rows})
        reasons, statuses, stages = counts
        return DLQStatistics(sum(reasons.values()), reasons, statuses, {k: n for k, n in stages.items() if k})

    async def purge_expired(self) -> int:
        """Forget those whose time is up; how many there were."""
        now = self._store._time(datetime.now(UTC))
        return await self._forget("expires_at IS NOT NULL AND expires_at <= ?", (now,))

    async def purge_resolved(self, older_than: datetime | None = None) -> int:
        """Forget those that are resolved, or of them only those made before a moment; how many there were."""
        resolved = "status = 'resolved'"
        if older_than is None:
            return await self._forget(resolved, ())
        moment = self._store._time(older_than)
        return await self._forget(f"{resolved} AND created_at < ?", (moment,))

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.to_thread(self._store.disconnect)
        self._is_ready = False

    async def _change(self, record_id: str, status: DLQStatus, retries: int = 0) -> bool:
        statement = f"UPDATE {self._table} SET status = ?, updated_at = ?, retry_count = retry_count + ? "
        now = self._store._time(datetime.now(UTC))
        values = (status.value, now, retries, record_id)
        return bool(await self._ask(f"{statement} WHERE record_id = ? RETURNING record_id", values, "write"))

    async def _forget(self, where: str, values: tuple[Any, ...]) -> int:
        rows = await self._ask(f"DELETE FROM {self._table} WHERE {where} RETURNING record_id", values, "write")
        return len(rows)

    async def _ask(self, statement: str, values: tuple[Any, ...], mode: str = "read") -> list[Any]:
        def work() -> Work:
            return (yield statement, values)

        rows: list[Any] = await self._do(mode, work)
        return rows

    async def _do(self, mode: str, work: Any) -> Any:
        async with self._ready:
            if not self._is_ready:
                await asyncio.to_thread(self._store.connect, auto_initialize=True)
                await self._store._arun("write", self._make)
                self._is_ready = True
        return await self._store._arun(mode, work)

    def _make(self) -> Work:
        texts = ("source_name", "reason", "error_message", "error_type", "stage", "status")
        columns = [
            "record_id TEXT PRIMARY KEY",
            *(f"{name} TEXT NOT NULL" for name in texts),
            *(f"{name} {{json}} NOT NULL" for name in _JSON),
            *(f"{name} INTEGER NOT NULL" for name in ("attempt", "max_attempts", "retry_count")),
            *(f"{name} {{time}}" for name in _TIMES),
        ]
        yield f"CREATE TABLE IF NOT EXISTS {self._table} ({', '.join(columns)})", ()

    def _select(self) -> str:
        return f"SELECT {', '.join(_COLUMNS)} FROM {self._table}"

    def _out(self, name: str, value: Any) -> Any:
        if name in _JSON:
            return msgspec.json.encode(value, enc_hook=str).decode()
        return self._store._time(value) if name in _TIMES else value


def _record(row: Any) -> DeadLetterRecord:
    values = dict(zip(_COLUMNS, row, strict=True))
    return DeadLetterRecord.from_dict({**values, **{name: msgspec.json.decode(values[name]) for name in _JSON}})
