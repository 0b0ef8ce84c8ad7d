"""Every storage there is, on real servers, each test with keys or a database of its own."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from redis.asyncio import Redis

from spikard.bots.fsm import BaseStorage, MemoryStorage, RedisStorage, SqliteStorage, SqlStorage, StorageKey
from spikard.bots.offsets import MemoryOffsets, OffsetStore

DURABLE = ("sqlite", "sql-sqlite", "postgres", "redis", "redis-decoded")


class Old(BaseStorage):
    """A storage with the five methods that others ask for, and no more."""

    def __init__(self) -> None:
        self.states: dict[StorageKey, str] = {}
        self.data: dict[StorageKey, dict[str, Any]] = {}

    async def set_state(self, key: StorageKey, state: str | None) -> None:
        self.states.pop(key, None)
        if state is not None:
            self.states[key] = state

    async def get_state(self, key: StorageKey) -> str | None:
        return self.states.get(key)

    async def set_data(self, key: StorageKey, data: dict[str, Any]) -> None:
        self.data[key] = data

    async def get_data(self, key: StorageKey) -> dict[str, Any]:
        return dict(self.data.get(key, {}))

    async def close(self) -> None:
        self.states.clear()


@pytest.fixture(scope="session")
def bots_database(postgres_url: str) -> Iterator[str]:
    """The URL of a database for this run."""
    name = f"bots_{uuid4().hex}"
    asyncio.run(_told(postgres_url, f"CREATE DATABASE {name}"))
    yield f"{postgres_url.rpartition('/')[0]}/{name}"
    asyncio.run(_told(postgres_url, f"DROP DATABASE {name} WITH (FORCE)"))


async def _told(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


async def made(kind: str, folder: Path, database: str, redis_url: str) -> Any:
    """A storage of a kind, empty."""
    match kind:
        case "memory":
            return MemoryStorage()
        case "old":
            return Old()
        case "sqlite":
            return SqliteStorage(folder / "bot.db", synchronous="normal")
        case "sql-sqlite":
            return SqlStorage(f"sqlite:///{folder / 'bot.db'}", synchronous="normal")
        case "postgres":
            storage = SqlStorage(database)
            await storage.last_id("1")
            tables = ", ".join(f"spikard_bot_{name}" for name in ("fsm", "inbox", "offset", "dead"))
            await _told(database, f"TRUNCATE {tables}")
            return storage
    client: Redis = Redis.from_url(redis_url, decode_responses=kind == "redis-decoded")
    return RedisStorage(client, f"bots-{uuid4().hex}", state_ttl=60)


@pytest.fixture(params=["memory", *DURABLE, "old"])
async def storage(
    request: pytest.FixtureRequest, tmp_path: Path, bots_database: str, redis_url: str
) -> AsyncIterator[BaseStorage]:
    """Each storage of states."""
    one = await made(request.param, tmp_path, bots_database, redis_url)
    yield one
    await one.close()


@pytest.fixture(params=["memory", *DURABLE])
async def offsets(
    request: pytest.FixtureRequest, tmp_path: Path, bots_database: str, redis_url: str
) -> AsyncIterator[OffsetStore]:
    """Each store of offsets."""
    one = (
        MemoryOffsets() if request.param == "memory" else await made(request.param, tmp_path, bots_database, redis_url)
    )
    yield one
    await _swept(one)
    await one.close()


@pytest.fixture(params=DURABLE)
async def both(
    request: pytest.FixtureRequest, tmp_path: Path, bots_database: str, redis_url: str
) -> AsyncIterator[Any]:
    """Each that keeps states and offsets."""
    one = await made(request.param, tmp_path, bots_database, redis_url)
    yield one
    await _swept(one)
    await one.close()


async def _swept(store: Any) -> None:
    if isinstance(store, RedisStorage):
        names = [name async for name in store._redis.scan_iter(match=f"{store._prefix}:*", count=1000)]
        if names:
            await store._redis.delete(*names)


@pytest.fixture
def key() -> Iterator[StorageKey]:
    """Whose record it is."""
    return StorageKey("1", "chat:1", "ann@corp")
