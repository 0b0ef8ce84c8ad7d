"""Databases that commands work with, and what is said where one cannot be reached."""

import argparse
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikard.cli.fsm.outcome import EXIT_FAILURE, EXIT_UNREACHABLE, EXIT_USAGE, Failure
from spikard.fsm.settings import application_database

EXTRAS = {"mongodb": "mongodb", "mongodb+srv": "mongodb", "redis": "redis", "rediss": "redis"}
TO_MAKE = "run: spikard fsm db init"

if TYPE_CHECKING:
    from spikard.fsm.stores.sql import SqlStateStore


def add_database(parser: argparse.ArgumentParser, kinds: str = "sqlite:///FILE or postgresql://…") -> None:
    """Which database is meant."""
    parser.add_argument("--database", metavar="URL", help=f"{kinds} (SPIKARD_FSM_DATABASE_URL, spikard.toml)")


def masked(url: str) -> str:
    """A URL without its password."""
    return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", url)


@contextmanager
def opened(
    url: str | None, *, with_tables: bool = True, make_file: bool = False, hint: str | None = TO_MAKE
) -> "Iterator[SqlStateStore]":
    """The store of a URL, else of the settings. With `with_tables` all of its tables have to be there.

    A file that is not there is made only with `make_file`; otherwise `hint` says what to do.
    """
    from spikard.fsm.stores.factory import unconnected_state_store
    from spikard.fsm.stores.migration import LATEST, present
    from spikard.fsm.stores.sql import SqlStateStore

    place = url or application_database()
    try:
        store = unconnected_state_store(place)
    except ValueError:
        raise Failure(
            f"{masked(place)!r} is no database: it begins with sqlite:/// or postgresql://", EXIT_USAGE
        ) from None
    if not isinstance(store, SqlStateStore):
        raise Failure(f"{masked(place)}: this needs SQLite or PostgreSQL", EXIT_USAGE)
    if not make_file:
        check_file(store, place, hint)
    with reaching(place):
        store.connect(validate_schema=False, auto_initialize=False)
    try:
        with reaching(place):
            version = store._run("read", lambda: present(store.words))
        if with_tables and version < LATEST:
            what = "has no tables of state machines" if version == 0 else f"has version {version} of {LATEST}"
            raise Failure(
                f"{masked(place)} {what}", EXIT_FAILURE, f"run: spikard fsm db {'upgrade' if version else 'init'}"
            )
        with _told_of(place):
            yield store
    finally:
        store.disconnect()


def check_file(store: Any, place: str, hint: str | None = TO_MAKE) -> None:
    """A database in a file that is not there cannot be reached: looking at it must not make it."""
    path = getattr(store, "_path", ":memory:")
    if path != ":memory:" and not Path(path).is_file():
        raise Failure(f"there is no database {masked(place)}", EXIT_UNREACHABLE, hint)


@contextmanager
def reaching(place: str) -> Iterator[None]:
    """Say in one message that a database cannot be reached."""
    try:
        yield
    except ImportError as error:
        extra = EXTRAS.get(place.partition(":")[0], "postgres")
        raise Failure(str(error), EXIT_FAILURE, f"pip install 'spikard[{extra}]'") from None
    except (OSError, sqlite3.OperationalError, sqlite3.DatabaseError) as error:
        raise Failure(f"{masked(place)} cannot be reached: {error}", EXIT_UNREACHABLE) from None
    except Exception as error:
        # Known by their module, since the library may not be installed.
        if type(error).__module__.partition(".")[0] in ("asyncpg", "pymongo", "redis"):
            # The rest of what the client of MongoDB says is for those who look into the client.
            what = str(error).partition(" (configured timeouts")[0]
            raise Failure(f"{masked(place)} cannot be reached: {what}", EXIT_UNREACHABLE) from None
        raise


@contextmanager
def _told_of(place: str) -> Iterator[None]:
    """Say in one message what a database that has been reached refuses, such as a table that somebody has dropped."""
    try:
        yield
    except Exception as error:
        if isinstance(error, sqlite3.Error) or type(error).__module__.partition(".")[0] == "asyncpg":
            raise Failure(f"{masked(place)}: {error}", EXIT_FAILURE) from None
        raise
