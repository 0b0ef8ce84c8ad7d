"""Connections to PostgreSQL."""

import asyncio
from collections.abc import Callable
from typing import Any

from spikard.fsm.stores.postgres import as_it_is, follow, watchful
from spikard.fsm.stores.work import Mode, Work

# Of making the tables: two processes that start at once take turns.
_LOCK = 7_305_203


class PostgresPool:
    """Runs works, each in a transaction of its own, over a pool that is opened when it is needed.

    Args:
        database: A URL, or a pool of asyncpg, which is not closed here.
        tables: Statements that make what is missing.
    """

    def __init__(self, database: Any, tables: Callable[[], Work], *, pool_size: int = 10) -> None:
        self._url = database if isinstance(database, str) else None
        self._pool: Any = None if isinstance(database, str) else database
        self._tables = tables
        self._pool_size = pool_size
        self._is_ready = False
        self._opening = asyncio.Lock()

    async def run(self, mode: Mode, work: Callable[[], Work]) -> Any:
        """What a work gives. Done once more, over new connections, if the server has hung up on one that waited."""
        import asyncpg

        pool = self._pool if self._is_ready else await self._open()
        broken = (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.AdminShutdownError, OSError)
        try:
            return await self._attempt(pool, mode, work)
        except broken:
            await pool.expire_connections()
            return await self._attempt(pool, mode, work)

    @staticmethod
    async def _attempt(pool: Any, mode: Mode, work: Callable[[], Work]) -> Any:
        async with pool.acquire() as connection:
            if mode == "read":
                return await follow(connection, work())
            async with connection.transaction():
                return await follow(connection, work())

    async def _open(self) -> Any:
        import asyncpg

        async with self._opening:
            if self._pool is None:
                # Nothing here leaves anything behind in a session: to clean it up would be one more round trip.
                self._pool = await asyncpg.create_pool(
                    self._url, min_size=1, max_size=self._pool_size, init=watchful, reset=as_it_is
                )  # fmt: skip
            if not self._is_ready:
                async with self._pool.acquire() as connection, connection.transaction():
                    await connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
                    await follow(connection, self._tables())
                self._is_ready = True
            return self._pool

    async def close(self) -> None:
        """Closes the connections, unless the pool was given; the next call opens new ones."""
        if self._url is not None and self._pool is not None:
            pool, self._pool, self._is_ready = self._pool, None, False
            await pool.close()


__all__ = ["PostgresPool"]
