"""What every subject resolves: one singleton, three classes of a scope; and how it is timed."""

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any

LOOPS = int(os.environ.get("SPIKARD_BENCH_LOOPS", "20000"))
REPEATS = 5


class Settings:
    """The singleton."""


class Database:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings


class Users:
    def __init__(self, database: Database, settings: Settings) -> None:
        self.database, self.settings = database, settings


class Checkout:
    """What is asked for."""

    def __init__(self, users: Users, database: Database) -> None:
        self.users, self.database = users, database


class Ticket:
    """The transient."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings


def right(checkout: Checkout) -> None:
    """Raise if the values are not shared as they should be."""
    if checkout.users.database is not checkout.database or type(checkout.users.settings) is not Settings:
        raise AssertionError("not the graph that was asked for")


def timed(work: Callable[[], Any]) -> float:
    """Microseconds of processor time of one call, at best."""

    def once() -> float:
        began = time.process_time()
        for _ in range(LOOPS):
            work()
        return (time.process_time() - began) / LOOPS * 1e6

    return min(once() for _ in range(REPEATS))


async def timed_async(work: Callable[[], Awaitable[Any]]) -> float:
    """Microseconds of processor time of one awaited call, at best."""

    async def once() -> float:
        began = time.process_time()
        for _ in range(LOOPS):
            await work()
        return (time.process_time() - began) / LOOPS * 1e6

    return min([await once() for _ in range(REPEATS)])


def report(main: Callable[[], Awaitable[dict[str, Any]]]) -> None:
    """Print the figures for the harness."""
    print(json.dumps(asyncio.run(main())))
