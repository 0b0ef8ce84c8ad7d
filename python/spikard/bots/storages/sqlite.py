"""States in a file of SQLite: durable, and nothing to install."""

from pathlib import Path

from spikard.bots.storages.sql import SqlStorage
from spikard.bots.storages.sqlite_thread import Synchronous


class SqliteStorage(SqlStorage):
    """`SqlStorage` in one file; one thread of its own reads and writes it, so that no call waits in the event loop."""

    def __init__(self, path: str | Path = "bot.db", *, synchronous: Synchronous = "full") -> None:
        self.path = str(path)
        super().__init__(f"sqlite:{path}", synchronous=synchronous)


__all__ = ["SqliteStorage"]
