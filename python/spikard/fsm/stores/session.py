"""Entities over a connection that somebody else has opened."""

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from spikard.fsm.stores.sql import SqlStateStore
from spikard.fsm.stores.work import Mode, Work


@runtime_checkable
class SessionScopedStore(Protocol):
    """A store that lends a connection in a transaction of its own."""

    def session_scope(self) -> AbstractContextManager[Any]:
        """A connection; kept is what was written through it when the block ends without an exception."""
        ...


class SessionStateStore(SqlStateStore):
    """A store in the transaction of a connection: what it writes is there once that is committed, or not at all.

    `session` is a connection of sqlite3, whose store is called, or of asyncpg, whose store is awaited, to a database
    that has the tables. It is neither committed nor closed here. TypeError for any other.
    """

    def __init__(self, session: Any) -> None:
        super().__init__()
        self._is_sqlite = isinstance(session, sqlite3.Connection)
        if not self._is_sqlite and not hasattr(session, "fetch"):
            raise TypeError(f"session must be a connection of asyncpg or sqlite3, not {type(session).__name__}")
        self._session = session

    def connect(self, *arguments: Any, **options: Any) -> None:
        """The connection is open already."""

    def disconnect(self) -> None:
        """The connection stays open."""

    def _run(self, mode: Mode, work: Callable[[], Work]) -> Any:
        del mode
        if not self._is_sqlite:
            raise TypeError("the connection is one of asyncpg: await aget_state, aset_state, aload, acommit")
        from spikard.fsm.stores.sqlite import follow

        return follow(self._session, work())

    async def _arun(self, mode: Mode, work: Callable[[], Work]) -> Any:
        if self._is_sqlite:
            return self._run(mode, work)
        from spikard.fsm.stores.postgres import follow

        return await follow(self._session, work())

    def _time(self, moment: datetime | None) -> Any:
        return moment.isoformat() if self._is_sqlite and moment is not None else moment
