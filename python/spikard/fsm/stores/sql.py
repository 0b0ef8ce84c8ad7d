"""Stores in SQL, apart from who waits: each call is a series of statements in one transaction."""

from abc import abstractmethod
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from spikard.fsm.errors import FSMError, StaleVersionError
from spikard.fsm.event import new_id
from spikard.fsm.stores import sql_outbox, timer_statements
from spikard.fsm.stores.batch import create_many
from spikard.fsm.stores.client import StateStoreClient
from spikard.fsm.stores.json_text import decoded, encoded
from spikard.fsm.stores.migration import LATEST, present, upgrade
from spikard.fsm.stores.row import EntityChange, EntityRow, TimerRow, TransitionRow
from spikard.fsm.stores.schema import UNINITIALISED
from spikard.fsm.stores.sql_outbox import SqlOutbox
from spikard.fsm.stores.versioned import VersionedByCommit
from spikard.fsm.stores.work import Row, Work

_CAPABILITIES = frozenset({"versions", "transactions", "durable", "answers", "outbox", "holds", "create"})
ENTITY = "entity_id, current_state, version, context_json, history_json, fingerprint, entered_at"
_METADATA = ("machine_name", "machine_version", "is_terminal", "workflow_status")
_HISTORY = (
    'id, entity_id, machine_name, source_state, target_state, "trigger", success, error_type, error_message, '
    "actions_executed, context_snapshot, created_at, duration_ms, event_id, transition_id"
)


class SqlStateStore(StateStoreClient, VersionedByCommit, SqlOutbox):
    """All that stores in SQL share. Every call takes a connection of its own: any thread and any task may call."""

    words: ClassVar[Mapping[str, str]]

    @abstractmethod
    def _time(self, moment: datetime | None) -> Any:
        """A moment as the database wants it."""

    @property
    def capabilities(self) -> frozenset[str]:
        """What may be relied on."""
        return _CAPABILITIES

    def _prepare(self, validate_schema: bool, auto_initialize: bool) -> None:
        version = self._run("read", lambda: present(self.words))
        if version >= LATEST:
            return
        if auto_initialize:
            self._run("write", lambda: upgrade(self.words))
        elif validate_schema:
            raise RuntimeError(UNINITIALISED.format(first=version + 1, last=LATEST))

    # One step as a whole

    def load(self, entity_id: str) -> EntityRow:
        """All that is kept of an entity, in one read."""
        row: EntityRow = self._run("read", lambda: self._load(entity_id))
        return row

    async def aload(self, entity_id: str) -> EntityRow:
        """`load`, awaited."""
        row: EntityRow = await self._arun("read", lambda: self._load(entity_id))
        return row

    def commit(self, change: EntityChange) -> int:
        """Keep a change; the new version, or `StaleVersionError`."""
        version: int = self._run("write", self._keeping([change], lambda: self._commit(change)))
        return version

    async def acommit(self, change: EntityChange) -> int:
        """`commit`, awaited."""
        version: int = await self._arun("write", self._keeping([change], lambda: self._commit(change)))
        return version

    def load_many(self, entity_ids: Sequence[str]) -> dict[str, EntityRow]:
        """Many entities at once."""
        found: dict[str, EntityRow] = self._run("read", lambda: self._load_many(entity_ids))
        return found

    def commit_many(self, changes: Sequence[EntityChange]) -> list[int | Exception]:
        """Many changes in one transaction, each kept or not for itself: its new version, or why not."""
        work = self._keeping(changes, lambda: self._commit_many(changes))
        versions: list[int | Exception] = self._run("write", work)
        return versions

    def create_many(self, pattern: EntityChange, entities: Iterable[tuple[str, Mapping[str, Any]]]) -> int:
        """Keep new entities that differ in their ids and contexts only; how many there were."""
        return create_many(self.commit_many, pattern, entities)

    def _keeping(self, changes: Sequence[EntityChange], work: Callable[[], Work]) -> Callable[[], Work]:  # noqa: ARG002
        """The work of a transaction that keeps changes and nothing else; databases may choose how safely."""
        return work

    def _load(self, entity_id: str) -> Work:
        rows = yield f"SELECT {ENTITY} FROM {{s}}entity_states WHERE entity_id = ?", (entity_id,)
        return entity_row(rows[0]) if rows else EntityRow(entity_id)

    def _load_many(self, entity_ids: Sequence[str]) -> Work:
        found = {}
        for entity_id in entity_ids:
            found[entity_id] = yield from self._load(entity_id)
        return found

    def _commit_many(self, changes: Sequence[EntityChange]) -> Work:
        outcomes: list[int | Exception] = []
        for change in changes:
            yield "SAVEPOINT spikard_change", ()
            try:
                outcomes.append((yield from self._commit(change)))
                yield "RELEASE SAVEPOINT spikard_change", ()
            except FSMError as error:
                yield "ROLLBACK TO SAVEPOINT spikard_change", ()
                outcomes.append(error)
        return outcomes

    def _commit(self, change: EntityChange) -> Work:
        if change.spent is not None:
            yield from timer_statements.spend(change.spent, change.entity_id, self._time)
        if change.ends is not None:
            yield from sql_outbox.end(change.ends)
        if change.answer is not None:
            yield from sql_outbox.kept_answer(change.answer)
        if change.settled:
            yield from sql_outbox.settle(change.settled)
        version: int = change.expected_version or 0
        if change.touches_entity:
            version = yield from self._keep(change)
        if change.sets_timers:
            yield from timer_statements.change_timers(change, version, self._time)
        yield from sql_outbox.put(change)
        return version

    def _keep(self, change: EntityChange) -> Generator[tuple[str, tuple[Any, ...]], list[Row], int]:
        entity_id, now = change.entity_id, self._time(datetime.now(UTC))
        values = self._values(change)
        if change.patch is not None or change.removed:
            rows = yield "SELECT context_json FROM {s}entity_states WHERE entity_id = ? {for_update}", (entity_id,)
            context = {**(decoded(rows[0][0]) if rows else {}), **(change.patch or {})}
            kept = {key: value for key, value in context.items() if key not in change.removed}
            values["context_json"] = encoded(kept)
        version: int = yield from self._write(change, values, now)
        yield from self._note(change, version, now)
        return version

    def _values(self, change: EntityChange) -> dict[str, Any]:
        values: dict[str, Any] = {key: change.metadata[key] for key in _METADATA if key in change.metadata}
        if change.state is not None:
            values["current_state"] = change.state
        if change.context is not None:
            values["context_json"] = encoded(change.context)
        if change.history is not None:
            values["history_json"] = encoded(dict(change.history))
        if change.fingerprint is not None:
            values["fingerprint"] = change.fingerprint
        if change.entered_at is not None:
            values["entered_at"] = self._time(change.entered_at)
        return values

    def _write(self, change: EntityChange, values: dict[str, Any], now: Any) -> Work:
        entity_id, expected = change.entity_id, change.expected_version
        values = {**values, "updated_at": now}
        if expected:
            sets = ", ".join(f"{name} = {_mark(name)}" for name in values)
            rows = yield (
                (
                    f"UPDATE {{s}}entity_states SET {sets}, version = version + 1 "
                    "WHERE entity_id = ? AND version = ? RETURNING version"
                ),
                (*values.values(), entity_id, expected),
            )
        else:
            # Version 0 is a row that only counts events so far.
            if_new = "WHERE {s}entity_states.version = 0" if expected == 0 else ""
            fresh = {"id": new_id(), "entity_id": entity_id, "created_at": now, **values}
            sets = ", ".join(f"{name} = excluded.{name}" for name in values)
            rows = yield (
                (
                    f"INSERT INTO {{s}}entity_states ({', '.join(fresh)}) VALUES ({', '.join(map(_mark, fresh))}) "
                    f"ON CONFLICT (entity_id) DO UPDATE SET {sets}, version = {{s}}entity_states.version + 1 {if_new} "
                    "RETURNING version"
                ),
                tuple(fresh.values()),
            )
        if rows:
            return rows[0][0]
        found = yield "SELECT version FROM {s}entity_states WHERE entity_id = ?", (entity_id,)
        raise StaleVersionError(entity_id, expected or 0, found[0][0] if found else 0)

    def _note(self, change: EntityChange, version: int, now: Any) -> Work:
        for line in change.transitions:
            yield (
                (f"INSERT INTO {{s}}transition_history ({_HISTORY}, seq, machine_version) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?j, ?j, ?, ?, ?, ?, ?, ?)"),
                line_values(change, line, version, now),
            )  # fmt: skip

    # States and contexts

    def get_state(self, entity_id: str) -> str | None:
        """The state of an entity, or None for one that is not kept."""
        return self.load(entity_id).state

    def set_state(self, entity_id: str, state: str, *, metadata: dict[str, Any] | None = None) -> None:
        """Keep a state; a `context` in the metadata is kept with it."""
        self.set_state_versioned(entity_id, state, metadata=metadata)

    def get_context(self, entity_id: str) -> dict[str, Any]:
        """The context of an entity, empty for one that is not kept."""
        return dict(self.load(entity_id).context)

    def set_context(self, entity_id: str, context: dict[str, Any]) -> None:
        """Keep a context, of an entity that is kept."""
        self._run("write", lambda: self._set_context(entity_id, context))

    def _set_context(self, entity_id: str, context: dict[str, Any]) -> Work:
        rows = yield (
            "UPDATE {s}entity_states SET context_json = ?j, updated_at = ? WHERE entity_id = ? RETURNING version",
            (encoded(context), self._time(datetime.now(UTC)), entity_id),
        )
        if not rows:
            raise ValueError(f"Entity not found: {entity_id!r}")

    async def aget_state(self, entity_id: str) -> str | None:
        """`get_state`, awaited."""
        return (await self.aload(entity_id)).state

    async def aset_state(self, entity_id: str, state: str, *, metadata: dict[str, Any] | None = None) -> None:
        """`set_state`, awaited."""
        about = metadata or {}
        await self.acommit(EntityChange(entity_id, None, state, about.get("context"), metadata=about))

    async def aget_context(self, entity_id: str) -> dict[str, Any]:
        """`get_context`, awaited."""
        return dict((await self.aload(entity_id)).context)

    async def aset_context(self, entity_id: str, context: dict[str, Any]) -> None:
        """`set_context`, awaited."""
        await self._arun("write", lambda: self._set_context(entity_id, context))

    # Questions

    def get_is_terminal(self, entity_id: str) -> bool | None:
        """Whether the entity rests in a terminal state, as far as was said."""
        found = self._one("is_terminal", entity_id)
        return None if found is None else bool(found)

    def get_workflow_status(self, entity_id: str) -> str | None:
        """How the work stands, as far as was said."""
        found: str | None = self._one("workflow_status", entity_id)
        return found

    def list_entities(
        self,
        machine_name: str | None = None,
        is_terminal: bool | None = None,
        workflow_status: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[dict[str, Any]]:
        """Entities that fit, the latest changed first."""
        names = ("entity_id", "current_state", "machine_name", "is_terminal", "workflow_status", "context_json",
                 "created_at", "updated_at")  # fmt: skip
        wanted = {"machine_name": machine_name, "is_terminal": is_terminal, "workflow_status": workflow_status}
        given = {name: value for name, value in wanted.items() if value is not None}
        where = " AND ".join(["current_state IS NOT NULL", *(f"{name} = ?" for name in given)])
        rows = self._select(
            f"SELECT {', '.join(names)} FROM {{s}}entity_states WHERE {where} ORDER BY updated_at DESC, id DESC "
            "LIMIT ? OFFSET ?",
            (*given.values(), limit, offset),
        )
        return [_entity(dict(zip(names, row, strict=True))) for row in rows]

    def get_machine(self, entity_id: str) -> tuple[str | None, str | None]:
        """The machine of an entity and its version, as far as was said."""
        rows = self._select(
            "SELECT machine_name, machine_version FROM {s}entity_states WHERE entity_id = ?", (entity_id,)
        )
        return (rows[0][0], rows[0][1]) if rows else (None, None)

    def entity_versions(self, machine_name: str, *, after: str = "", limit: int = 500) -> list[tuple[str, str | None]]:
        """Entities of a machine with its versions, in the order of their ids, from the one after `after` on."""
        rows = self._select(
            "SELECT entity_id, machine_version FROM {s}entity_states WHERE machine_name = ? AND entity_id > ? "
            "AND current_state IS NOT NULL ORDER BY entity_id LIMIT ?",
            (machine_name, after, limit),
        )
        return [(row[0], row[1]) for row in rows]

    def count_by_state(self) -> dict[str, int]:
        """How many entities are in each state."""
        rows = self._select(
            "SELECT current_state, COUNT(*) FROM {s}entity_states WHERE current_state IS NOT NULL GROUP BY 1", ()
        )
        return {row[0]: row[1] for row in rows}

    def delete_entity(self, entity_id: str) -> bool:
        """Forget an entity with its timers and what it had still to do; whether there was one."""
        found: bool = self._run("write", lambda: self._delete(entity_id))
        return found

    def _delete(self, entity_id: str) -> Work:
        for table in ("fsm_timers", "fsm_outbox", "event_log", "transition_history"):
            yield f"DELETE FROM {{s}}{table} WHERE entity_id = ?", (entity_id,)
        rows = yield "DELETE FROM {s}entity_states WHERE entity_id = ? RETURNING id", (entity_id,)
        return bool(rows)

    def get_timers(self, entity_id: str) -> list[TimerRow]:
        """Timers that are armed."""
        rows = self._select(
            'SELECT timer_key, "trigger", fires_at, entered_at, delay_ms, payload_json FROM {s}fsm_timers '
            "WHERE entity_id = ? AND status = 'pending' ORDER BY timer_key",
            (entity_id,),
        )
        return [
            TimerRow(key, trigger, _moment(due) or datetime.now(UTC), _moment(entered), delay, decoded(payload))
            for key, trigger, due, entered, delay, payload in rows
        ]

    def _one(self, column: str, entity_id: str) -> Any:
        rows = self._select(f"SELECT {column} FROM {{s}}entity_states WHERE entity_id = ?", (entity_id,))
        return rows[0][0] if rows else None

    def _select(self, statement: str, values: tuple[Any, ...]) -> list[Row]:
        def work() -> Work:
            return (yield statement, values)

        rows: list[Row] = self._run("read", work)
        return rows

    # Events and the past

    def append_event(
        self,
        entity_id: str,
        trigger: str,
        *,
        payload: dict[str, Any] | None = None,
        event_id: str | None = None,
        source: str = "",
        machine_name: str | None = None,
    ) -> int:
        """Keep an event; its place among those of the entity, from one."""
        about = (trigger, None if payload is None else encoded(payload), event_id, source, machine_name)
        sequence: int = self._run("write", lambda: self._append(entity_id, about))
        return sequence

    async def aappend_event(
        self,
        entity_id: str,
        trigger: str,
        *,
        payload: dict[str, Any] | None = None,
        event_id: str | None = None,
        source: str = "",
        machine_name: str | None = None,
    ) -> int:
        """`append_event`, awaited."""
        about = (trigger, None if payload is None else encoded(payload), event_id, source, machine_name)
        sequence: int = await self._arun("write", lambda: self._append(entity_id, about))
        return sequence

    def _append(self, entity_id: str, about: tuple[Any, ...]) -> Work:
        now = self._time(datetime.now(UTC))
        rows = yield (
            (
                "INSERT INTO {s}entity_states (id, entity_id, version, event_seq, created_at, updated_at) "
                "VALUES (?, ?, 0, 1, ?, ?) ON CONFLICT (entity_id) "
                "DO UPDATE SET event_seq = {s}entity_states.event_seq + 1 RETURNING event_seq"
            ),
            (new_id(), entity_id, now, now),
        )
        sequence = rows[0][0]
        yield (
            (
                'INSERT INTO {s}event_log (id, entity_id, sequence, "trigger", payload_json, event_id, source, '
                "machine_name, created_at) VALUES (?, ?, ?, ?, ?j, ?, ?, ?, ?)"
            ),
            (new_id(), entity_id, sequence, *about, now),
        )
        return sequence

    def get_events(self, entity_id: str, *, after_sequence: int = 0, limit: int = 1000) -> list[dict[str, Any]]:
        """Events of an entity, from a place on."""
        names = ("id", "entity_id", "machine_name", "sequence", "trigger", "payload", "event_id", "source",
                 "created_at")  # fmt: skip
        rows = self._select(
            'SELECT id, entity_id, machine_name, sequence, "trigger", payload_json, event_id, source, created_at '
            "FROM {s}event_log WHERE entity_id = ? AND sequence > ? ORDER BY sequence LIMIT ?",
            (entity_id, after_sequence, limit),
        )
        events = [dict(zip(names, row, strict=True)) for row in rows]
        return [
            {**event, "payload": decoded(event["payload"]), "created_at": _moment(event["created_at"])}
            for event in events
        ]

    def record_transition(
        self,
        entity_id: str,
        source_state: str,
        trigger: str,
        *,
        target_state: str | None = None,
        success: bool = True,
        machine_name: str | None = None,
        actions_executed: list[str] | None = None,
        error_type: str | None = None,
        error_message: str | None = None,
        context_snapshot: dict[str, Any] | None = None,
        duration_ms: float | None = None,
    ) -> str:
        """Keep one transition; the id of its line."""
        line_id = new_id()
        values = (
            line_id, entity_id, machine_name, source_state, target_state, trigger, success, error_type, error_message,
            None if actions_executed is None else encoded(actions_executed),
            None if context_snapshot is None else encoded(context_snapshot),
            self._time(datetime.now(UTC)), duration_ms, None, None,
        )  # fmt: skip

        def work() -> Work:
            yield (
                (
                    f"INSERT INTO {{s}}transition_history ({_HISTORY}) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?j, ?j, ?, ?, ?, ?)"
                ),
                values,
            )

        self._run("write", work)
        return line_id

    def get_transition_history(self, entity_id: str, limit: int = 50) -> list[dict[str, Any]]:
        """The latest transitions of an entity, the newest first."""
        names = [name.strip().strip('"') for name in _HISTORY.split(",")]
        rows = self._select(
            f"SELECT {_HISTORY} FROM {{s}}transition_history WHERE entity_id = ? ORDER BY id DESC LIMIT ?",
            (entity_id, limit),
        )
        return [_line(dict(zip(names, row, strict=True))) for row in rows]


def _mark(column: str) -> str:
    return "?j" if column.endswith("_json") else "?"


def line_values(change: EntityChange, line: TransitionRow, version: int, now: Any) -> tuple[Any, ...]:
    """A line of the past as the columns of `transition_history` want it."""
    machine, machine_version = (change.metadata.get(key) for key in ("machine_name", "machine_version"))
    return (
        new_id(), change.entity_id, machine, line.source_state, line.target_state, line.trigger, line.success,
        line.error_type, line.error_message, encoded(list(line.actions_executed)), None, now, line.duration_ms,
        line.event_id, line.transition_id, version, machine_version,
    )  # fmt: skip


def entity_row(values: Row) -> EntityRow:
    """An entity out of the columns of `ENTITY`."""
    entity_id, state, version, context, history, fingerprint, entered_at = values
    return EntityRow(
        entity_id, state, version, decoded(context) or {}, decoded(history) or {}, fingerprint, _moment(entered_at)
    )


def _moment(value: Any) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _entity(row: dict[str, Any]) -> dict[str, Any]:
    row["context"] = decoded(row.pop("context_json")) or {}
    row["is_terminal"] = None if row["is_terminal"] is None else bool(row["is_terminal"])
    return {**row, "created_at": _moment(row["created_at"]), "updated_at": _moment(row["updated_at"])}


def _line(row: dict[str, Any]) -> dict[str, Any]:
    row["success"] = bool(row["success"])
    row["created_at"] = _moment(row["created_at"])
    return {**row, **{key: decoded(row[key]) for key in ("actions_executed", "context_snapshot")}}
