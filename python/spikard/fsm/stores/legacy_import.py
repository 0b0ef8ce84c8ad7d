"""What PyStator has kept, copied into the tables of this package, in batches that survive an interruption."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid5

from spikard.fsm.errors import ConfigurationError
from spikard.fsm.stores.postgres import PostgresStateStore
from spikard.fsm.stores.sql import SqlStateStore
from spikard.fsm.stores.work import Work

BATCH = 5000
SCHEMA = "pystator."
# Names ids that are made from those of rows.
_NAMESPACE = UUID("8f0b4d1e-6b0e-4c3a-9a52-2a6f9e2d7c11")
_PROGRESS = (
    "CREATE TABLE IF NOT EXISTS {s}legacy_imports (source TEXT NOT NULL, table_name TEXT NOT NULL, "
    "last_key TEXT NOT NULL, copied BIGINT NOT NULL, PRIMARY KEY (source, table_name))"
)


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """How far the copy of a table is."""

    table: str
    rows: int
    is_done: bool


@dataclass(frozen=True, slots=True)
class _Table:
    """A table of both: what its rows are known by, and which of its columns are of a kind of their own."""

    name: str
    columns: tuple[str, ...]
    key: str = "id"
    times: tuple[str, ...] = ("created_at", "updated_at")
    flags: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    is_ordered: bool = False
    """Whether ids have to grow with time."""


_QUEUE = (
    "status", "fires_at", "claimed_by", "claimed_at", "attempt", "max_attempts", "error_message", "idempotency_key",
    "created_at", "completed_at", "result_json",
)  # fmt: skip
_QUEUE_TIMES = ("fires_at", "claimed_at", "created_at", "completed_at")
TABLES = (
    _Table(
        "machines",
        ("name", "version", "description", "strict_mode", "revision", "config_json", "created_at", "updated_at",
         "created_by", "updated_by"),
        flags=("strict_mode",), documents=("config_json",),
    ),
    _Table(
        "entity_states",
        ("entity_id", "machine_name", "machine_version", "current_state", "is_terminal", "workflow_status",
         "context_json", "version", "status", "deleted_at", "archived_at", "labels_json", "created_at", "updated_at"),
        times=("created_at", "updated_at", "deleted_at", "archived_at"), flags=("is_terminal",),
        documents=("context_json", "labels_json"),
    ),
    _Table(
        "transition_history",
        ("entity_id", "machine_name", "source_state", "target_state", "trigger", "success", "error_type",
         "error_message", "actions_executed", "context_snapshot", "created_at", "duration_ms"),
        times=("created_at",), flags=("success",), documents=("actions_executed", "context_snapshot"), is_ordered=True,
    ),
    _Table(
        "event_log",
        ("entity_id", "machine_name", "sequence", "trigger", "payload_json", "event_id", "source", "created_at"),
        times=("created_at",), documents=("payload_json",), is_ordered=True,
    ),
    _Table(
        "worker_events", ("machine_name", "entity_id", "trigger", "context_json", *_QUEUE), times=_QUEUE_TIMES,
        documents=("context_json", "result_json"), is_ordered=True,
    ),
    _Table(
        "worker_apply_data_events", ("machine_name", "entity_id", "data_json", *_QUEUE), times=_QUEUE_TIMES,
        documents=("data_json", "result_json"), is_ordered=True,
    ),
    _Table(
        "dead_letter_queue",
        ("source_name", "reason", "error_message", "error_type", "stage", "payload", "metadata", "attempt",
         "max_attempts", "status", "retry_count", "created_at", "updated_at", "expires_at"),
        key="record_id", times=("created_at", "updated_at", "expires_at"), documents=("payload", "metadata"),
    ),
)  # fmt: skip


def import_legacy_database(
    source: SqlStateStore,
    target: SqlStateStore,
    name: str,
    told: Callable[[ImportProgress], None] | None = None,
    *,
    batch: int = BATCH,
) -> dict[str, int]:
    """Copy all tables of PyStator; how many rows of each were read.

    Rows that the target has already stay as they are. `name` is what the source is remembered by: a copy that was
    interrupted goes on after its last batch, and one that is made again copies what is new.
    """
    schema = SCHEMA if isinstance(source, PostgresStateStore) else ""
    if not source._run("read", lambda: _columns(schema, "machines")):
        raise ConfigurationError(f"{name} is no database of PyStator: it has no table {schema}machines")
    target._run("write", _prepared)
    report = {}
    for table in TABLES:
        present: list[str] = source._run("read", partial(_columns, schema, table.name))
        if present:
            report[table.name] = _copy(source, target, name, table, schema, present, told, batch)
    target._run("write", lambda: _finished(name))
    return report


def _prepared() -> Work:
    yield _PROGRESS, ()


def _finished(name: str) -> Work:
    yield (
        (
            "UPDATE {s}entity_states SET event_seq = (SELECT MAX(e.sequence) FROM {s}event_log e "
            "WHERE e.entity_id = {s}entity_states.entity_id) WHERE event_seq < COALESCE((SELECT MAX(e.sequence) "
            "FROM {s}event_log e WHERE e.entity_id = {s}entity_states.entity_id), 0)"
        ),
        (),
    )
    yield "DELETE FROM {s}legacy_imports WHERE source = ?", (name,)


def _columns(schema: str, table: str) -> Work:
    if schema:
        rows = yield (
            "SELECT column_name FROM information_schema.columns WHERE table_schema = ? AND table_name = ?",
            (schema.rstrip("."), table),
        )
    else:
        rows = yield f"SELECT name FROM pragma_table_info('{table}')", ()
    return [row[0] for row in rows]


def _copy(
    source: SqlStateStore,
    target: SqlStateStore,
    name: str,
    table: _Table,
    schema: str,
    present: Sequence[str],
    told: Callable[[ImportProgress], None] | None,
    batch: int,
) -> int:
    columns = [column for column in table.columns if column in present]
    last, copied = target._run("read", lambda: _reached(name, table))
    while True:
        rows = source._run("read", partial(_page, table, schema, columns, last, batch))
        if not rows:
            break
        last, copied = str(rows[-1][0]), copied + len(rows)
        values = [_converted(target, table, row[0], dict(zip(columns, row[1:], strict=True))) for row in rows]
        target._run("write", partial(_kept, name, table, values, last, copied))
        if told is not None:
            told(ImportProgress(table.name, copied, len(rows) < batch))
    return int(copied)


def _reached(name: str, table: _Table) -> Work:
    rows = yield (
        "SELECT last_key, copied FROM {s}legacy_imports WHERE source = ? AND table_name = ?",
        (name, table.name),
    )
    return (rows[0][0], rows[0][1]) if rows else (None, 0)


def _page(table: _Table, schema: str, columns: Sequence[str], last: str | None, limit: int) -> Work:
    names = ", ".join(f'"{column}"' for column in (table.key, *columns))
    mark = "?::uuid" if schema and table.key == "id" else "?"
    where, values = ("", ()) if last is None else (f"WHERE {table.key} > {mark} ", (last,))
    return (yield f"SELECT {names} FROM {schema}{table.name} {where}ORDER BY {table.key} LIMIT {limit}", values)


def _kept(name: str, table: _Table, rows: Sequence[Mapping[str, Any]], last: str, copied: int) -> Work:
    for values in rows:
        names = ", ".join(f'"{column}"' for column in values)
        marks = ", ".join("?j" if column in table.documents else "?" for column in values)
        yield (
            f"INSERT INTO {{s}}{table.name} ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING",
            tuple(values.values()),
        )
    yield (
        (
            "INSERT INTO {s}legacy_imports (source, table_name, last_key, copied) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (source, table_name) DO UPDATE SET last_key = excluded.last_key, copied = excluded.copied"
        ),
        (name, table.name, last, copied),
    )


def _converted(target: SqlStateStore, table: _Table, key: Any, row: dict[str, Any]) -> dict[str, Any]:
    for column in table.times:
        if column in row:
            row[column] = target._time(_moment(row[column]))
    for column in table.flags:
        if row.get(column) is not None:
            row[column] = bool(row[column])
    found = dict(_filled(target, table, row))
    found[table.key] = str(key)
    if table.key == "id":
        moment = _moment(row.get("created_at")) if table.is_ordered else None
        found["id"] = _ordered(moment, UUID(str(key))) if moment else str(UUID(str(key)))
    return found


def _filled(target: SqlStateStore, table: _Table, row: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The row with what our tables ask for beyond it."""
    now = target._time(datetime.now(UTC))
    defaults = {"created_at": now, "context_json": "{}", "payload": "{}", "metadata": "{}", "source": ""}
    if table.name in ("machines", "entity_states"):
        defaults["updated_at"] = now
    for column, value in row.items():
        yield column, defaults.get(column) if value is None else value
    if table.name == "machines":
        yield "status", "active"
    elif table.name == "entity_states":
        yield "entered_at", row.get("updated_at")
    elif row.get("status") == "claimed":
        # Whoever held it is another program, which will not come back to these tables.
        yield from (("status", "pending"), ("claimed_by", None), ("claimed_at", None))


def _moment(value: Any) -> datetime | None:
    if value is None:
        return None
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _ordered(moment: datetime, key: UUID) -> str:
    """An id that grows with time, and is the same for the same row whenever it is copied."""
    microseconds = int(moment.timestamp() * 1_000_000)
    milliseconds, rest = divmod(microseconds, 1000)
    chance = uuid5(_NAMESPACE, str(key)).int & (1 << 62) - 1
    fraction = rest * 4096 // 1000
    return str(UUID(int=(milliseconds & (1 << 48) - 1) << 80 | 7 << 76 | fraction << 64 | 0b10 << 62 | chance))
