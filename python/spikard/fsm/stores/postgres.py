"""Entities in PostgreSQL."""

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from typing import Any, ClassVar

from spikard.fsm.background_loop import BackgroundLoop
from spikard.fsm.errors import FSMError
from spikard.fsm.stores.postgres_batch import LeaseOfOneLostError, commit_many, create
from spikard.fsm.stores.row import EntityChange, EntityRow
from spikard.fsm.stores.sql import ENTITY, SqlStateStore, entity_row, line_values
from spikard.fsm.stores.work import Mode, Work

# Of the schema's making: two processes that start at once take turns.
SCHEMA_LOCK = 7_305_202
# Where those who wait for events hear that there are some.
CHANNEL = "spikard_fsm_queue"


# Rows of these tables change with every event: room for a new version beside the old one, and old ones gone soon.
_TUNED = ";".join(
    f"ALTER TABLE spikard_fsm.{table} SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01, "
    "autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0)"
    for table in ("worker_events", "worker_apply_data_events", "fsm_outbox", "entity_states")
)


class PostgresStateStore(SqlStateStore):
    """Keeps entities in the schema `spikard_fsm` of a database. One pool on a loop of its own serves all callers."""

    words: ClassVar[Mapping[str, str]] = {
        "s": "spikard_fsm.",
        "i": "ix_",
        "json": "JSONB",
        "time": "TIMESTAMPTZ",
        "bool": "BOOLEAN",
        "real": "DOUBLE PRECISION",
        "for_update": "FOR UPDATE",
        "skip_locked": "FOR UPDATE SKIP LOCKED",
        "held": "SELECT pair ->> 0 AS id, (pair ->> 1)::bigint AS fence FROM jsonb_array_elements(?j) AS pair",
        "now": "now()",
        "later": "now() + ?::double precision * interval '1 second'",
        "notify": f"SELECT pg_notify('{CHANNEL}', ?)",
        "begin_schema": f"SELECT pg_advisory_xact_lock({SCHEMA_LOCK});CREATE SCHEMA IF NOT EXISTS spikard_fsm",
        "end_schema": _TUNED,
        "state_of_timer": "split_part(timer_key, '#', 1)",
        "has_table": "SELECT 1 FROM pg_tables WHERE schemaname = 'spikard_fsm' AND tablename = ?",
    }

    def __init__(self, connection_string: str, *, pool_size: int = 10) -> None:
        if not connection_string.startswith(("postgresql://", "postgres://")):
            raise ValueError(f"PostgresStateStore requires a postgresql:// URL, got: {connection_string!r}")
        super().__init__(connection_string)
        self._pool_size = pool_size
        self._background = BackgroundLoop()
        self._pool: Any = None
        self._listeners: list[Any] = []

    def connect(self, validate_schema: bool = True, auto_initialize: bool = False) -> None:
        """Open the pool, making the tables where they are missing and that is wanted."""
        if self._pool is not None:
            return
        self._pool = self._background.wait(self._open())
        try:
            self._prepare(validate_schema, auto_initialize)
        except BaseException:
            self.disconnect()
            raise

    def disconnect(self) -> None:
        """Close all connections."""
        while self._listeners:
            self._background.wait(self._listeners.pop().close())
        pool, self._pool = self._pool, None
        if pool is not None:
            self._background.wait(pool.close())
        self._background.close()

    async def listen(self, heard: Callable[[str], None]) -> None:
        """Have something called, on the thread of this store, whenever events come into a table, with its name."""
        await asyncio.wrap_future(self._background.submit(self._listen(heard)))

    async def _listen(self, heard: Callable[[str], None]) -> None:
        import asyncpg

        connection = await asyncpg.connect(self.connection_string)
        self._listeners.append(connection)
        await connection.add_listener(CHANNEL, lambda _connection, _process, _channel, table: heard(table))

    async def _open(self) -> Any:
        try:
            import asyncpg
        except ImportError as error:
            raise ImportError(
                "asyncpg is required for PostgresStateStore. Install with: pip install asyncpg"
            ) from error
        # Nothing here leaves anything behind in a session: to clean it up would be a round trip for each call.
        return await asyncpg.create_pool(
            self.connection_string, min_size=1, max_size=self._pool_size, init=watchful, reset=as_it_is
        )  # fmt: skip

    def _run(self, mode: Mode, work: Callable[[], Work]) -> Any:
        return self._background.wait(self._drive(mode, work))

    async def _arun(self, mode: Mode, work: Callable[[], Work]) -> Any:
        return await asyncio.wrap_future(self._background.submit(self._drive(mode, work)))

    async def _drive(self, mode: Mode, work: Callable[[], Work]) -> Any:
        if self._pool is None:
            raise RuntimeError("Not connected. Call connect() first.")
        try:
            return await self._attempt(mode, work)
        except _Broken:
            # The server has hung up on what waited in the pool. Nothing was committed: once more, with new ones.
            await self._pool.expire_connections()
            try:
                return await self._attempt(mode, work)
            except _Broken as broken:
                raise broken.cause from None

    async def _attempt(self, mode: Mode, work: Callable[[], Work]) -> Any:
        async with self._pool.acquire() as connection:
            transaction = connection.transaction() if mode == "write" else None
            try:
                if transaction is not None:
                    await transaction.start()
                outcome = await follow(connection, work())
            except BaseException as error:
                if _is_broken(error):
                    _give_up(connection)
                    raise _Broken(error) from error
                if transaction is not None:
                    await transaction.rollback()
                raise
            if transaction is not None:
                await transaction.commit()
            return outcome

    def commit_many(self, changes: Sequence[EntityChange]) -> list[int | Exception]:
        """Many changes in one transaction, each kept or not for itself: its new version, or why not."""
        try:
            return super().commit_many(changes)
        except LeaseOfOneLostError:
            return [self._outcome(change) for change in changes]

    def create_many(self, pattern: EntityChange, entities: Iterable[tuple[str, Mapping[str, Any]]]) -> int:
        """Keep new entities that differ in their ids and contexts only; how many there were."""
        if pattern.arm_timers:
            return super().create_many(pattern, entities)
        number: int = self._run("write", lambda: create(pattern, list(entities)))
        return number

    def _outcome(self, change: EntityChange) -> int | Exception:
        try:
            return self.commit(change)
        except FSMError as error:
            return error

    def _keeping(self, changes: Sequence[EntityChange], work: Callable[[], Work]) -> Callable[[], Work]:
        if not all(change.only_crosses_off for change in changes):
            return work

        def unwaited() -> Work:
            # Nobody waits for the disk: what a crash of the server takes back is done again, under the same keys.
            yield "SET LOCAL synchronous_commit TO off", ()
            return (yield from work())

        return unwaited

    def _commit_many(self, changes: Sequence[EntityChange]) -> Work:
        return commit_many(changes, self._commit, line_values)

    def _load_many(self, entity_ids: Sequence[str]) -> Work:
        rows = yield (
            f"SELECT {ENTITY} FROM {{s}}entity_states WHERE entity_id = ANY(?::text[])",
            (list(entity_ids),),
        )
        found = {row[0]: entity_row(row) for row in rows}
        return {entity_id: found.get(entity_id) or EntityRow(entity_id) for entity_id in entity_ids}

    def _time(self, moment: datetime | None) -> datetime | None:
        return moment


async def watchful(connection: Any) -> None:
    """Have the server notice that whoever asked is gone: it would go on with the statement, and keep its locks."""
    import asyncpg

    for setting in ("client_connection_check_interval = '1s'", "idle_in_transaction_session_timeout = '60s'"):
        # The first is unknown before version 14, and refused on some systems.
        with suppress(asyncpg.PostgresError):
            await connection.execute(f"SET {setting}")


async def as_it_is(_: Any) -> None:
    """Leave a connection that comes back to its pool alone."""


class _Broken(Exception):  # noqa: N818 - a signal
    """The connection went away before anything was committed."""

    def __init__(self, cause: BaseException) -> None:
        super().__init__(str(cause))
        self.cause = cause


def _give_up(connection: Any) -> None:
    import asyncpg

    # The pool may have noticed by itself, and have taken the connection back.
    with suppress(asyncpg.InterfaceError):
        connection.terminate()


def _is_broken(error: BaseException) -> bool:
    import asyncpg

    broken = (asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError, asyncpg.InternalClientError, OSError)
    return isinstance(error, (*broken, asyncpg.InterfaceError))


async def follow(connection: Any, work: Work) -> Any:
    """Do work over a connection, in the transaction that it is in."""
    try:
        statement, values = next(work)
        while True:
            statement, values = work.send(await connection.fetch(_translated(statement), *values))
    except StopIteration as done:
        return done.value


@lru_cache(1000)
def _translated(statement: str) -> str:
    """The statement with numbered parameters."""
    number = 0

    def mark(found: re.Match[str]) -> str:
        nonlocal number
        number += 1
        return f"${number}::jsonb" if found[0] == "?j" else f"${number}"

    return re.sub(r"\?j?", mark, statement.format(**PostgresStateStore.words))
