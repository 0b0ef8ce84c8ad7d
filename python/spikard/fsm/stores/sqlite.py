"""Entities in an SQLite file."""

import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, ClassVar

from spikard.fsm.settings import application_database
from spikard.fsm.stores.sql import SqlStateStore
from spikard.fsm.stores.work import Mode, Work

SCHEME = "sqlite:///"
# As `isoformat` writes a moment in UTC.
_MOMENT = "'%Y-%m-%dT%H:%M:%f000+00:00'"


class SQLiteStateStore(SqlStateStore):
    """Keeps entities in a file that any number of threads and processes may share; `sqlite:///path` or `:memory:`."""

    words: ClassVar[Mapping[str, str]] = {
        "s": "",
        "i": "ix_",
        "json": "TEXT",
        "time": "TEXT",
        "bool": "INTEGER",
        "real": "REAL",
        "for_update": "",
        "skip_locked": "",
        "held": "SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS fence FROM json_each(?j)",
        "now": f"strftime({_MOMENT}, 'now')",
        "later": f"strftime({_MOMENT}, 'now', ? || ' seconds')",
        # Nobody can be told in another process: those who wait look again after a while.
        "notify": "SELECT ?",
        "begin_schema": "",
        "end_schema": "",
        "state_of_timer": "substr(timer_key, 1, instr(timer_key, '#') - 1)",
        "has_table": "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?",
    }

    def __init__(self, connection_string: str | None = None) -> None:
        url = connection_string or application_database()
        if not url.startswith("sqlite:"):
            raise ValueError(f"SQLiteStateStore requires a sqlite:// URL, got: {url!r}")
        super().__init__(url)
        self._path = url.removeprefix(SCHEME).removeprefix("sqlite://") or ":memory:"
        self._free: queue.LifoQueue[sqlite3.Connection | None] | None = None
        self._closing = threading.Lock()

    def connect(self, validate_schema: bool = True, auto_initialize: bool = True) -> None:
        """Open the file, making its tables where they are missing and that is wanted."""
        if self._free is not None:
            return
        self._free = queue.LifoQueue()
        try:
            # In memory there is one database for each connection, so there is one connection.
            if self._path == ":memory:":
                self._free.put(self._open())
            self._prepare(validate_schema, auto_initialize)
        except BaseException:
            self.disconnect()
            raise

    def disconnect(self) -> None:
        """Close all connections: those that are in use when they come back."""
        with self._closing:
            free, self._free = self._free, None
            while free is not None and not free.empty():
                connection = free.get_nowait()
                if connection is not None:
                    connection.close()
            if free is not None:
                # Whoever waits for a connection gets to know.
                free.put(None)

    @contextmanager
    def session_scope(self) -> Iterator[sqlite3.Connection]:
        """A connection in a transaction of its own, kept when the block ends without an exception.

        `commit()` and `rollback()` within the block end the transaction; what is written then begins another.
        """
        with self._connection() as connection:
            connection.isolation_level = "IMMEDIATE"
            try:
                with _transaction(connection):
                    yield connection
            finally:
                connection.isolation_level = None

    def _run(self, mode: Mode, work: Callable[[], Work]) -> Any:
        # A write takes its lock at once: one that began as a read could find the file changed, and would have to fail.
        if mode == "write":
            with self._connection() as connection, _transaction(connection):
                return follow(connection, work())
        with self._connection() as connection:
            return follow(connection, work())

    def _time(self, moment: datetime | None) -> str | None:
        return None if moment is None else moment.isoformat()

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        free = self._free
        if free is None:
            raise RuntimeError("Not connected. Call connect() first.")
        try:
            connection = free.get(block=self._path == ":memory:")
        except queue.Empty:
            connection = self._open()
        if connection is None:
            free.put(None)
            raise RuntimeError("Not connected. Call connect() first.")
        try:
            yield connection
        finally:
            with self._closing:
                if self._free is free:
                    free.put(connection)
                else:
                    # Disconnected in the meantime. Nobody else may close what a thread is still working with.
                    connection.close()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=5, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA busy_timeout = 5000")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
        except BaseException:
            connection.close()
            raise
        return connection


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    if connection.in_transaction:
        connection.execute("COMMIT")


def follow(connection: sqlite3.Connection, work: Work) -> Any:
    """Do work over a connection, in the transaction that it is in."""
    try:
        statement, values = next(work)
        while True:
            text = statement.format(**SQLiteStateStore.words).replace("?j", "?")
            statement, values = work.send(connection.execute(text, values).fetchall())
    except StopIteration as done:
        return done.value
