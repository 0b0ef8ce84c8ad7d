"""States in a file of SQLite: durable, and nothing to install."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import Any, TypeVar

from spikard.bots.clock import now
from spikard.bots.storages.base import BaseStorage, Record, StorageKey
from spikard.bots.storages.content import as_mapping, decode, encode

T = TypeVar("T")

_TABLE = """
CREATE TABLE IF NOT EXISTS spikard_bot_fsm (
    bot_id TEXT NOT NULL, chat_id TEXT NOT NULL, user_id TEXT NOT NULL, destiny TEXT NOT NULL,
    state TEXT, data TEXT NOT NULL, version INTEGER NOT NULL, updated_at REAL NOT NULL,
    PRIMARY KEY (bot_id, chat_id, user_id, destiny)
) WITHOUT ROWID
"""
_WHERE = "bot_id = ? AND chat_id = ? AND user_id = ? AND destiny = ?"


def _parts(key: StorageKey) -> tuple[str, str, str, str]:
    return key.bot_id, key.chat_id, key.user_id, key.destiny


class SqliteStorage(BaseStorage):
    """One file; one thread of its own reads and writes it, so that no call waits in the event loop."""

    def __init__(self, path: str | Path = "bot.db") -> None:
        self.path = str(path)
        self._thread: ThreadPoolExecutor | None = None
        self._connection: sqlite3.Connection | None = None

    async def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="spikard-bot-storage")

        def call() -> T:
            if self._connection is None:
                connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
                connection.execute("PRAGMA busy_timeout = 5000")
                connection.execute(_TABLE)
                self._connection = connection
            return work(self._connection)

        # With the context: the time that is written is the caller's.
        return await asyncio.get_running_loop().run_in_executor(self._thread, copy_context().run, call)

    @staticmethod
    def _read(connection: sqlite3.Connection, key: StorageKey) -> Record:
        row = connection.execute(
            f"SELECT state, data, version, updated_at FROM spikard_bot_fsm WHERE {_WHERE}",  # noqa: S608 - constants
            _parts(key),
        ).fetchone()
        if row is None:
            return Record()
        return Record(state=row[0], data=decode(row[1]), version=row[2], updated_at=row[3])

    @classmethod
    def _write(
        cls,
        connection: sqlite3.Connection,
        key: StorageKey,
        change: Callable[[Record], tuple[str | None, dict[str, Any]]],
        expected: int | None = None,
    ) -> bool:
        connection.execute("BEGIN IMMEDIATE")
        try:
            known = cls._read(connection, key)
            if expected is not None and known.version != expected:
                connection.execute("ROLLBACK")
                return False
            state, data = change(known)
            if state is None and not data:
                connection.execute(f"DELETE FROM spikard_bot_fsm WHERE {_WHERE}", _parts(key))  # noqa: S608
            else:
                connection.execute(
                    "INSERT OR REPLACE INTO spikard_bot_fsm VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (*_parts(key), state, encode(data).decode(), known.version + 1, now()),
                )
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return True

    async def get(self, key: StorageKey) -> Record:
        """State and data together."""
        return await self._run(lambda connection: self._read(connection, key))

    async def put(self, key: StorageKey, record: Record, expect_version: int | None = None) -> bool:
        """Keeps both, if the version is the expected one."""
        data = as_mapping(record.data)
        return await self._run(
            lambda connection: self._write(connection, key, lambda _: (record.state, data), expect_version)
        )

    async def set_state(self, key: StorageKey, state: str | None) -> None:
        """Keeps the state; None removes it."""
        await self._run(lambda connection: self._write(connection, key, lambda known: (state, known.data)))

    async def get_state(self, key: StorageKey) -> str | None:
        """The state, or None."""
        return (await self.get(key)).state

    async def set_data(self, key: StorageKey, data: dict[str, Any]) -> None:
        """Keeps the data."""
        kept = as_mapping(data)
        await self._run(lambda connection: self._write(connection, key, lambda known: (known.state, kept)))

    async def get_data(self, key: StorageKey) -> dict[str, Any]:
        """The data; empty where nothing is kept."""
        return (await self.get(key)).data

    async def update_data(self, key: StorageKey, patch: Mapping[str, Any]) -> dict[str, Any]:
        """Merges into the data in one transaction and gives the whole."""
        added, merged = as_mapping(patch), {}

        def change(known: Record) -> tuple[str | None, dict[str, Any]]:
            merged.update({**known.data, **added})
            return known.state, merged

        await self._run(lambda connection: self._write(connection, key, change))
        return merged

    async def scan(self, bot_id: str, state: str | None = None) -> AsyncIterator[tuple[StorageKey, Record]]:
        """All records of a bot, or those in one state."""
        rows = await self._run(
            lambda connection: connection.execute(
                "SELECT bot_id, chat_id, user_id, destiny, state, data, version, updated_at FROM spikard_bot_fsm "
                "WHERE bot_id = ? AND (? IS NULL OR state = ?)",
                (bot_id, state, state),
            ).fetchall()
        )
        for *parts, kept, data, version, at in rows:
            yield StorageKey(*parts), Record(state=kept, data=decode(data), version=version, updated_at=at)

    async def close(self) -> None:
        """Closes the file; a later call opens it again."""
        thread, self._thread = self._thread, None
        if thread is None:
            return

        def end() -> None:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

        await asyncio.get_running_loop().run_in_executor(thread, end)
        thread.shutdown()


__all__ = ["SqliteStorage"]
