"""Records of dialogues in SQL: works of statements, in the words of `spikard.fsm.stores.work`."""

from collections.abc import Callable
from typing import Any

from spikard.bots.clock import now
from spikard.bots.storages.base import Record, StorageKey, key_text
from spikard.bots.storages.content import decode, encode
from spikard.fsm.stores.work import Work

TABLE = """CREATE TABLE IF NOT EXISTS spikard_bot_fsm (
    key TEXT PRIMARY KEY, bot_id TEXT NOT NULL, state TEXT, data TEXT NOT NULL, version INTEGER NOT NULL,
    updated_at {real} NOT NULL)"""
INDEX = "CREATE INDEX IF NOT EXISTS spikard_bot_fsm_bot ON spikard_bot_fsm (bot_id, state)"

Change = Callable[[Record], tuple[str | None, dict[str, Any]]]

_READ = "SELECT state, data, version, updated_at FROM spikard_bot_fsm WHERE key = ?"
_READ_TO_WRITE = f"{_READ} {{for_update}}"
# A row that somebody has made since it was looked for has another version than the one it is to replace.
_WRITE = """INSERT INTO spikard_bot_fsm (key, bot_id, state, data, version, updated_at) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET state = excluded.state, data = excluded.data, version = excluded.version,
    updated_at = excluded.updated_at WHERE spikard_bot_fsm.version = excluded.version - 1 RETURNING version"""


def record_of(row: Any) -> Record:
    """The record of a row."""
    return Record(state=row[0], data=decode(row[1]), version=row[2], updated_at=row[3])


def read(key: StorageKey, statement: str = _READ) -> Work:
    """The record of a key; an empty one where there is none."""
    rows = yield statement, (key_text(key),)
    return record_of(rows[0]) if rows else Record()


def change(key: StorageKey, changed: Change, expected: int | None = None) -> Work:
    """Writes what a function makes of the record; False where its version is not the expected one, or not any more."""
    known: Record = yield from read(key, _READ_TO_WRITE)
    if expected is not None and known.version != expected:
        return False
    state, data = changed(known)
    if state is None and not data:
        yield "DELETE FROM spikard_bot_fsm WHERE key = ?", (key_text(key),)
        return True
    rows = yield _WRITE, (key_text(key), key.bot_id, state, encode(data).decode(), known.version + 1, now())
    return bool(rows)


def scan(bot_id: str, state: str | None, after: str, limit: int) -> Work:
    """Some records of a bot, by key."""
    chosen = "" if state is None else "AND state = ?"
    return (
        yield (
            (
                "SELECT state, data, version, updated_at, key FROM spikard_bot_fsm "  # noqa: S608 - constants
                f"WHERE bot_id = ? AND key > ? {chosen} ORDER BY key LIMIT ?"
            ),
            (bot_id, after, *([] if state is None else [state]), limit),
        )
    )


__all__ = ["INDEX", "TABLE", "Change", "change", "read", "record_of", "scan"]
