"""Machines in a database, where workers find them."""

import builtins
from datetime import UTC, datetime
from typing import Any

from spikard.fsm.event import new_id
from spikard.fsm.machine_definition import MachineDefinition, parse_machine
from spikard.fsm.machine_stores.client import MachineStoreClient
from spikard.fsm.machine_stores.version import version_key
from spikard.fsm.queue.table import moment
from spikard.fsm.stores.factory import unconnected_state_store
from spikard.fsm.stores.json_text import decoded, encoded
from spikard.fsm.stores.sql import SqlStateStore
from spikard.fsm.stores.work import Work


class SQLAlchemyMachineStore(MachineStoreClient):
    """Keeps definitions in the table `machines` of SQLite or PostgreSQL. The name is that of others' programs."""

    def __init__(self, connection_string: str, *, store: SqlStateStore | None = None) -> None:
        super().__init__(connection_string)
        self._owns_store = store is None
        found: Any = unconnected_state_store(connection_string) if store is None else store
        if not isinstance(found, SqlStateStore):
            raise ValueError(f"machines are kept in SQLite or PostgreSQL, not in {type(found).__name__}")
        self._store = found

    def connect(self) -> None:
        """Open the database."""
        self._store.connect()

    def disconnect(self) -> None:
        """Close all connections, unless the store belongs to somebody else."""
        if self._owns_store:
            self._store.disconnect()

    def save(self, definition: MachineDefinition) -> str:
        """Keep a definition in the place of one of the same name and version, whose id it gets."""
        now = self._store._time(datetime.now(UTC))

        def work() -> Work:
            return (
                yield (
                    ("INSERT INTO {s}machines (id, name, version, description, strict_mode, config_json, status, "
                    "created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?j, 'active', ?, ?) ON CONFLICT (name, version) "
                    "DO UPDATE SET description = excluded.description, strict_mode = excluded.strict_mode, "
                    "config_json = excluded.config_json, updated_at = excluded.updated_at, "
                    "revision = {s}machines.revision + CASE WHEN {s}machines.config_json = excluded.config_json "
                    "THEN 0 ELSE 1 END RETURNING id"),
                    (new_id(), definition.name, definition.version, definition.description, definition.strict_mode,
                     encoded(definition.config), now, now),
                )
            )  # fmt: skip

        return str(self._store._run("write", work)[0][0])

    def get(self, name: str, version: str | None = None) -> MachineDefinition | None:
        """A definition, without a version the newest; None where there is none."""
        found = [definition for definition in self.list(name) if version in (None, definition.version)]
        return max(found, key=lambda definition: version_key(definition.version), default=None)

    def list(self, name: str | None = None) -> list[MachineDefinition]:
        """All definitions, or those of a name, in the order in which they came."""
        where, values = ("", ()) if name is None else (" WHERE name = ?", (name,))

        def work() -> Work:
            return (yield f"SELECT config_json FROM {{s}}machines{where} ORDER BY created_at, id", values)

        return [parse_machine(decoded(row[0]), validate=False) for row in self._store._run("read", work)]

    def delete(self, name: str, version: str) -> bool:
        """Forget a definition; whether there was one."""

        def work() -> Work:
            return (yield "DELETE FROM {s}machines WHERE name = ? AND version = ? RETURNING id", (name, version))

        return bool(self._store._run("write", work))

    def summaries(self, name: str | None = None) -> builtins.list[dict[str, Any]]:
        """What is known of machines besides their definitions: status, revision, times."""
        where, values = ("", ()) if name is None else (" WHERE name = ?", (name,))

        def work() -> Work:
            return (
                yield (
                    ("SELECT id, name, version, description, status, revision, config_json, created_at, updated_at "
                    f"FROM {{s}}machines{where} ORDER BY name, created_at, id"),
                    values,
                )
            )  # fmt: skip

        found = []
        for row in self._store._run("read", work):
            machine_id, machine, version, description, status, revision, config, created_at, updated_at = row
            found.append(
                {
                    "id": machine_id, "name": machine, "version": version, "description": description,
                    "status": status, "revision": revision, "states": len(decoded(config).get("states", ())),
                    "created_at": moment(created_at), "updated_at": moment(updated_at),
                }
            )  # fmt: skip
        return found

    def activate(self, name: str, version: str) -> bool:
        """Have workers take this version and no other of the name; False where there is no such machine."""
        now = self._store._time(datetime.now(UTC))

        def work() -> Work:
            found = yield (
                "UPDATE {s}machines SET status = 'active', updated_at = ? WHERE name = ? AND version = ? RETURNING id",
                (now, name, version),
            )
            if found:
                yield (
                    (
                        "UPDATE {s}machines SET status = 'retired', updated_at = ? WHERE name = ? AND version <> ? "
                        "AND status = 'active'"
                    ),
                    (now, name, version),
                )
            return bool(found)

        return bool(self._store._run("write", work))
