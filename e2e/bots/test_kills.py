"""A bot that is killed while it answers: the measurement of the benches, made small."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from redis import Redis

from tests.services import postgres_url, redis_url

__all__ = ["postgres_url", "redis_url"]

PROGRAM = Path(__file__).resolve().parents[2] / "benches" / "bots" / "kills" / "run"
SMALL = ["--kills", "4", "--updates", "240", "--users", "24", "--longest", "1"]


@pytest.fixture(params=["sqlite", "postgresql", "redis"])
def storage(request: pytest.FixtureRequest, tmp_path: Path, postgres_url: str, redis_url: str) -> Iterator[str]:
    """The URL of a storage with nothing in it."""
    if request.param == "sqlite":
        yield f"sqlite:{tmp_path / 'bot.db'}"
    elif request.param == "postgresql":
        name = f"bots_{uuid4().hex}"
        asyncio.run(told(postgres_url, f"CREATE DATABASE {name}"))
        yield f"{postgres_url.rpartition('/')[0]}/{name}"
        asyncio.run(told(postgres_url, f"DROP DATABASE {name} WITH (FORCE)"))
    else:
        url = f"{redis_url.rpartition('/')[0]}/11"
        with Redis.from_url(url) as redis:
            assert redis.dbsize() == 0, f"{url} is not empty, and this test would empty it"
            yield url
            redis.flushdb()


async def told(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


@pytest.mark.timeout(180)
def test_kills_lose_nothing_and_repeat_nothing(storage: str) -> None:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), "--storage", storage, *SMALL], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "answers at the server            240" in done.stdout


@pytest.mark.timeout(180)
def test_the_measurement_notices_what_is_lost(tmp_path: Path) -> None:
    """With `at_most_once` a kill loses what is under way: then the program says so."""
    storage = f"sqlite:{tmp_path / 'bot.db'}"
    done = subprocess.run(
        [sys.executable, str(PROGRAM), "--storage", storage, "--delivery", "at_most_once", *SMALL, "--patience", "3"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
