"""A file of SQLite behind one thread, which keeps together what many ask for at the same time."""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from typing import Any, Literal

from spikard.fsm.stores.sqlite import follow
from spikard.fsm.stores.work import Mode, Work

Synchronous = Literal["full", "normal"]
_MOST_AT_ONCE = 256


class _Request:
    __slots__ = ("context", "future", "loop", "mode", "work")

    def __init__(self, mode: Mode, work: Callable[[], Work]) -> None:
        self.mode = mode
        self.work = work
        # The time that is written is the caller's.
        self.context = copy_context()
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self.loop.create_future()

    def settle(self, outcome: Any) -> None:
        # Whoever asked may be gone with its loop.
        with suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self._set, outcome)

    def _set(self, outcome: Any) -> None:
        if self.future.done():
            return
        if isinstance(outcome, BaseException):
            self.future.set_exception(outcome)
        else:
            self.future.set_result(outcome)


class SqliteThread:
    """Runs works one after another; those that wait at the same time are committed together.

    Args:
        path: Of the file.
        synchronous: `full` waits for the disk at each commit, so that a power cut loses nothing; `normal` does not.
        tables: Statements that make what is missing.
    """

    def __init__(self, path: str, synchronous: Synchronous, tables: Callable[[], Work]) -> None:
        self._path = path
        self._synchronous = synchronous
        self._tables = tables
        self._requests: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    async def run(self, mode: Mode, work: Callable[[], Work]) -> Any:
        """What a work gives, in a transaction of its own as far as its faults go."""
        if self._thread is None:
            self._requests = queue.SimpleQueue()
            self._thread = threading.Thread(
                target=self._serve, args=(self._requests,), name="spikard-bot-storage", daemon=True
            )
            self._thread.start()
        request = _Request(mode, work)
        self._requests.put(request)
        return await request.future

    async def close(self) -> None:
        """Ends the thread when everything is done; the next call starts another."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._requests.put(None)
            await asyncio.get_running_loop().run_in_executor(None, thread.join)

    def _serve(self, requests: "queue.SimpleQueue[_Request | None]") -> None:
        connection: sqlite3.Connection | None = None
        while (request := requests.get()) is not None:
            batch = [request]
            is_last = False
            with suppress(queue.Empty):
                while len(batch) < _MOST_AT_ONCE:
                    more = requests.get_nowait()
                    if more is None:
                        is_last = True
                        break
                    batch.append(more)
            try:
                connection = connection or self._open()
                outcomes = self._together(connection, batch)
            except Exception as fault:  # noqa: BLE001 - goes to those who asked
                outcomes = [fault] * len(batch)
            for one, outcome in zip(batch, outcomes, strict=True):
                one.settle(outcome)
            if is_last:
                break
        if connection is not None:
            connection.close()

    @staticmethod
    def _together(connection: sqlite3.Connection, batch: list[_Request]) -> list[Any]:
        """The outcomes of works that are committed at once; a fault of one takes nothing from the others."""
        # A transaction that began as a read could find the file changed when it writes, and would have to fail.
        connection.execute("BEGIN IMMEDIATE" if any(one.mode == "write" for one in batch) else "BEGIN")
        try:
            outcomes: list[Any] = []
            for one in batch:
                connection.execute("SAVEPOINT one")
                try:
                    outcomes.append(one.context.run(follow, connection, one.work()))
                except Exception as fault:  # noqa: BLE001 - goes to the one who asked
                    connection.execute("ROLLBACK TO one")
                    outcomes.append(fault)
                connection.execute("RELEASE one")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return outcomes

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=5, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA busy_timeout = 5000")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")
            connection.execute("BEGIN IMMEDIATE")
            follow(connection, self._tables())
            connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        return connection


__all__ = ["SqliteThread", "Synchronous"]
