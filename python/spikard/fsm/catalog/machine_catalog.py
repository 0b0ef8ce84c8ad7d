"""Definitions of machines in a database, each with an id and a revision."""

import sqlite3
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from spikard.fsm.catalog.machine_errors import (
    MachineConflict,
    MachineInvalidIdentifier,
    MachineRecordNotFound,
    MachineRevisionConflict,
)
from spikard.fsm.catalog.machine_record import MachineCompatibilityIssue, MachineCompatibilityReport, MachineRecord
from spikard.fsm.compatibility import compare_machines
from spikard.fsm.event import new_id
from spikard.fsm.machine_definition import MachineDefinition, parse_machine
from spikard.fsm.machine_stores.database import SQLAlchemyMachineStore
from spikard.fsm.machine_stores.version import version_key
from spikard.fsm.queue.table import moment
from spikard.fsm.stores.json_text import decoded, encoded
from spikard.fsm.stores.session import SessionStateStore
from spikard.fsm.stores.sql import SqlStateStore
from spikard.fsm.stores.work import Work

_COLUMNS = "id, name, version, description, strict_mode, config_json, revision, created_at, updated_at"


class MachineCatalog:
    """Machines to look through and to edit, with whom edits by others do not get lost.

    `session` is a connected store in SQL, of entities or of machines, or a connection of sqlite3 to a database that has
    the tables, such as `session_scope()` lends: what is written there is kept when that transaction is.
    """

    def __init__(self, session: SqlStateStore | SQLAlchemyMachineStore | sqlite3.Connection) -> None:
        is_lent = isinstance(session, sqlite3.Connection)
        found: Any = SessionStateStore(session) if is_lent else getattr(session, "_store", session)
        if not isinstance(found, SqlStateStore):
            raise TypeError(f"a catalogue needs a store in SQL, not {type(session).__name__}")
        self._store = found

    def list(self, *, name: str | None = None, version: str | None = None) -> "list[MachineRecord]":
        """All machines, or those of a name and of a version; by name, the oldest version first."""
        given = {key: value for key, value in (("name", name), ("version", version)) if value}
        where = " AND ".join(["1 = 1", *(f"{key} = ?" for key in given)])

        def work() -> Work:
            return (yield f"SELECT {_COLUMNS} FROM {{s}}machines WHERE {where}", tuple(given.values()))

        records = [_record(row) for row in self._store._run("read", work)]
        return sorted(records, key=lambda record: (record.name, version_key(record.version)))

    def get(self, machine_id: str) -> MachineRecord:
        """A machine by its id, or `MachineRecordNotFound`."""
        key = _checked(machine_id)
        return _record(self._store._run("read", lambda: _row(key)))

    def create(self, config: dict[str, Any]) -> MachineRecord:
        """Keep a new machine, or `MachineConflict` where there is one of its name and version."""
        definition = parse_machine(config)
        now = self._store._time(datetime.now(UTC))

        def work() -> Work:
            rows = yield (
                (
                    "INSERT INTO {s}machines (id, name, version, description, strict_mode, config_json, status, "
                    "created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?j, 'active', ?, ?) ON CONFLICT (name, version) "
                    f"DO NOTHING RETURNING {_COLUMNS}"
                ),
                (new_id(), *_values(definition), now, now),
            )
            return rows[0] if rows else None

        row = self._store._run("write", work)
        if row is None:
            raise MachineConflict(definition.name, definition.version)
        return _record(row)

    def update(self, machine_id: str, config: dict[str, Any], *, expected_revision: int | None = None) -> MachineRecord:
        """Put a definition in the place of another; `MachineRevisionConflict` where that has another revision."""
        definition = parse_machine(config)
        key = _checked(machine_id)
        now = self._store._time(datetime.now(UTC))

        def work() -> Work:
            before = _record((yield from _row(key)))
            if expected_revision not in (None, before.revision):
                raise MachineRevisionConflict(int(expected_revision or 0), before.revision)
            others = yield (
                "SELECT id FROM {s}machines WHERE name = ? AND version = ? AND id <> ?",
                (definition.name, definition.version, key),
            )
            if others:
                raise MachineConflict(definition.name, definition.version)
            rows = yield (
                (
                    "UPDATE {s}machines SET name = ?, version = ?, description = ?, strict_mode = ?, config_json = ?j, "
                    f"revision = revision + 1, updated_at = ? WHERE id = ? AND revision = ? RETURNING {_COLUMNS}"
                ),
                (*_values(definition), now, key, before.revision),
            )
            if not rows:
                raise MachineRevisionConflict(before.revision, _record((yield from _row(key))).revision)
            return rows[0]

        return _record(self._store._run("write", work))

    def delete(self, machine_id: str) -> str:
        """Forget a machine; its id. Entities that have it keep their states."""
        key = _checked(machine_id)

        def work() -> Work:
            return (yield "DELETE FROM {s}machines WHERE id = ? RETURNING id", (key,))

        if not self._store._run("write", work):
            raise MachineRecordNotFound(machine_id)
        return key

    def check_compatibility(
        self, machine_id: str, *, target_version: str, entity_limit: int = 500
    ) -> MachineCompatibilityReport:
        """Whether the entities of a machine, `entity_limit` at most, can go on in another of its versions."""
        source = self.get(machine_id)
        target = next(iter(self.list(name=source.name, version=target_version)), None)
        if target is None:
            raise MachineRecordNotFound(f"{source.name}:{target_version}")

        def work() -> Work:
            return (
                yield (
                    (
                        "SELECT entity_id, current_state FROM {s}entity_states WHERE machine_name = ? "
                        "AND status = 'active' ORDER BY entity_id LIMIT ?"
                    ),
                    (source.name, entity_limit),
                )
            )

        entities = {str(row[0]): str(row[1]) for row in self._store._run("read", work)}
        report = compare_machines(source.config, target.config, entities)
        issues = [MachineCompatibilityIssue(**issue) for issue in report.issues]
        return MachineCompatibilityReport(
            not issues, source.version, target.version, len(entities), issues, report.level, report.changes
        )


def _row(key: str) -> Work:
    rows = yield f"SELECT {_COLUMNS} FROM {{s}}machines WHERE id = ?", (key,)
    if not rows:
        raise MachineRecordNotFound(key)
    return rows[0]


def _checked(machine_id: str) -> str:
    try:
        return str(UUID(machine_id))
    except (ValueError, AttributeError, TypeError):
        raise MachineInvalidIdentifier(machine_id) from None


def _values(definition: MachineDefinition) -> tuple[Any, ...]:
    description = definition.description or None
    return definition.name, definition.version, description, definition.strict_mode, encoded(definition.config)


def _record(row: Any) -> MachineRecord:
    machine_id, name, version, description, strict_mode, config, revision, created_at, updated_at = row
    return MachineRecord(
        str(machine_id), name, version, description, bool(strict_mode), decoded(config), revision, moment(created_at),
        moment(updated_at),
    )  # fmt: skip
