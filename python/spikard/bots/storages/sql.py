"""States, offsets and the journal in an SQL database."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from spikard.bots.offsets import DeadLetter, Finish, JournalEntry, Write
from spikard.bots.storages import journal, records
from spikard.bots.storages.base import BaseStorage, Record, StorageKey, key_of
from spikard.bots.storages.content import as_mapping
from spikard.bots.storages.postgres_pool import PostgresPool
from spikard.bots.storages.sqlite_thread import SqliteThread, Synchronous
from spikard.errors import ConfigError
from spikard.fsm.stores.work import Work

_SCANNED_AT_ONCE = 500


def _tables() -> Work:
    for statement in (records.TABLE, records.INDEX, *journal.TABLES):
        yield statement, ()


class SqlStorage(BaseStorage):
    """A storage and an `OffsetStore` in one database: what a handler wrote and the end of its update are one step.

    Tables: `spikard_bot_fsm`, `spikard_bot_inbox`, `spikard_bot_offset`, `spikard_bot_dead`; made where they are
    missing.

    Args:
        database: `postgresql://user@host/database`, `sqlite:bot.db` (or `sqlite:///bot.db`), or a pool of asyncpg.
        synchronous: For SQLite: `full` waits for the disk at each commit; with `normal` a power cut, though no end of
            the process, may lose the last moments.

    Raises:
        ConfigError: The URL is of another kind.
    """

    is_durable = True

    def __init__(self, database: Any, *, synchronous: Synchronous = "full") -> None:
        self._driver: SqliteThread | PostgresPool
        scheme, _, rest = database.partition(":") if isinstance(database, str) else ("postgresql", "", "")
        if scheme == "sqlite":
            self._driver = SqliteThread(rest.removeprefix("///") or "bot.db", synchronous, _tables)
        elif scheme in ("postgresql", "postgres"):
            self._driver = PostgresPool(database, _tables)
        else:
            raise ConfigError(f"SqlStorage takes postgresql://... or sqlite:FILE, not {scheme!r}")

    # --- records

    async def get(self, key: StorageKey) -> Record:
        """State and data together."""
        found: Record = await self._driver.run("read", lambda: records.read(key))
        return found

    async def put(self, key: StorageKey, record: Record, expect_version: int | None = None) -> bool:
        """Keeps both, if the version is the expected one."""
        kept = record.state, as_mapping(record.data)
        return await self._change(key, lambda _: kept, expect_version)

    async def set_state(self, key: StorageKey, state: str | None) -> None:
        """Keeps the state; None removes it."""
        await self._change(key, lambda known: (state, known.data))

    async def get_state(self, key: StorageKey) -> str | None:
        """The state, or None."""
        return (await self.get(key)).state

    async def set_data(self, key: StorageKey, data: dict[str, Any]) -> None:
        """Keeps the data."""
        kept = as_mapping(data)
        await self._change(key, lambda known: (known.state, kept))

    async def get_data(self, key: StorageKey) -> dict[str, Any]:
        """The data; empty where nothing is kept."""
        return (await self.get(key)).data

    async def update_data(self, key: StorageKey, patch: Mapping[str, Any]) -> dict[str, Any]:
        """Merges into the data in one transaction and gives the whole."""
        added = as_mapping(patch)
        merged: dict[str, Any] = {}

        def change(known: Record) -> tuple[str | None, dict[str, Any]]:
            merged.clear()
            merged.update(known.data, **added)
            return known.state, merged

        await self._change(key, change)
        return merged

    async def scan(self, bot_id: str, state: str | None = None) -> AsyncIterator[tuple[StorageKey, Record]]:
        """All records of a bot, or those in one state."""
        after = ""
        while True:
            rows = await self._driver.run("read", partial(records.scan, bot_id, state, after, _SCANNED_AT_ONCE))
            for row in rows:
                yield key_of(row[4]), records.record_of(row)
            if len(rows) < _SCANNED_AT_ONCE:
                return
            after = rows[-1][4]

    async def _change(self, key: StorageKey, change: records.Change, expected: int | None = None) -> bool:
        while True:
            is_written = await self._driver.run("write", lambda: records.change(key, change, expected))
            # Without an expected version, False means that somebody has made the record a moment ago.
            if is_written or expected is not None:
                return bool(is_written)

    # --- what was taken over

    async def last_id(self, bot_id: str) -> int:
        """The greatest id that was taken over; 0 for a bot that has never polled."""
        found: int = await self._driver.run("read", lambda: journal.last_id(bot_id))
        return found

    async def take(self, bot_id: str, last_id: int, entries: Sequence[JournalEntry]) -> None:
        """Keeps entries and the offset in one transaction."""
        await self._write(lambda: journal.take(bot_id, last_id, entries))

    async def pending(self, bot_id: str, after: int = -1, limit: int = 1000) -> list[JournalEntry]:
        """What is not handled, by event id."""
        found: list[JournalEntry] = await self._driver.run("read", lambda: journal.pending(bot_id, after, limit))
        return found

    async def begin(self, bot_id: str, event_id: int, attempts: int) -> bool:
        """Notes an attempt; whether the entry is there."""
        return bool(await self._write(lambda: journal.begin(bot_id, event_id, attempts)))

    async def finish(self, bot_id: str, event_id: int, writes: Sequence[Write] = ()) -> Finish:
        """Drops an entry and keeps records in one transaction."""
        try:
            outcome: Finish = await self._write(lambda: journal.finish(bot_id, event_id, writes))
        except journal.RecordConflictError:
            return Finish.CONFLICT
        return outcome

    async def bury(self, bot_id: str, event_id: int, error: str) -> None:
        """Makes an entry a dead letter."""
        await self._write(lambda: journal.bury(bot_id, event_id, error))

    async def dead(self, bot_id: str) -> list[DeadLetter]:
        """The dead letters of a bot."""
        found: list[DeadLetter] = await self._driver.run("read", lambda: journal.dead(bot_id))
        return found

    async def revive(self, bot_id: str, event_id: int) -> bool:
        """Puts a dead letter back into the journal, for the next start; whether it was there."""
        return bool(await self._write(lambda: journal.revive(bot_id, event_id)))

    async def forget(self, bot_id: str, event_id: int) -> bool:
        """Drops a dead letter; whether it was there."""
        return await self._write(lambda: journal.forget(bot_id, event_id)) is not None

    async def hold(self, bot_id: str, holder: str, seconds: float, instead_of: str | None = None) -> str:
        """Takes or renews the lease of polling by the database's clock; who has it."""
        return str(await self._write(lambda: journal.hold(bot_id, holder, seconds, instead_of)))

    async def release(self, bot_id: str, holder: str) -> None:
        """Gives the lease back."""
        await self._write(lambda: journal.release(bot_id, holder))

    async def _write(self, work: Callable[[], Work]) -> Any:
        return await self._driver.run("write", work)

    async def close(self) -> None:
        """Closes what is open; a later call opens it again."""
        await self._driver.close()


__all__ = ["SqlStorage"]
