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

if TYPE_CHECKING:
    from spikard.fsm.stores.sql import SqlStateStore


def add_database(parser: argparse.ArgumentParser) -> None:
    """Which database is meant."""
    parser.add_argument(
        "--database", metavar="URL", help="sqlite:///FILE or postgresql://… (SPIKARD_FSM_DATABASE_URL, spikard.toml)"
    )


def masked(url: str) -> str:
    """A URL without its password."""
    return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", url)


@contextmanager
def opened(url: str | None, *, with_tables: bool = True, make_file: bool = False) -> "Iterator[SqlStateStore]":
    """The store of a URL, else of the settings. With `with_tables` all of its tables have to be there.

    A file that is not there is made only with `make_file`.
    """
    from spikard.fsm.stores.factory import unconnected_state_store
    from spikard.fsm.stores.migration import LATEST, present
    from spikard.fsm.stores.sql import SqlStateStore

    place = url or application_database()
    try:
        store = unconnected_state_store(place)
    except ValueError as error:
        raise Failure(masked(str(error)), EXIT_USAGE) from None
    if not isinstance(store, SqlStateStore):
        raise Failure(f"{masked(place)}: this needs SQLite or PostgreSQL", EXIT_USAGE)
    if not make_file:
        check_file(store, place)
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
        yield store
    finally:
        store.disconnect()


def check_file(store: Any, place: str) -> None:
    """A database in a file that is not there cannot be reached: looking at it must not make it."""
    path = getattr(store, "_path", ":memory:")
    if path != ":memory:" and not Path(path).is_file():
        raise Failure(f"there is no database {masked(place)}", EXIT_UNREACHABLE, "run: spikard fsm db init")


@contextmanager
def reaching(place: str) -> Iterator[None]:
    """Say in one message that a database cannot be reached."""
    try:
        yield
    except ImportError as error:
        raise Failure(str(error), EXIT_FAILURE, "pip install 'spikard[postgres]'") from None
    except (OSError, sqlite3.OperationalError, sqlite3.DatabaseError) as error:
        raise Failure(f"{masked(place)} cannot be reached: {error}", EXIT_UNREACHABLE) from None
    except Exception as error:
        # Known by their module, since the library may not be installed.
        if type(error).__module__.partition(".")[0] in ("asyncpg", "pymongo", "redis"):
            raise Failure(f"{masked(place)} cannot be reached: {error}", EXIT_UNREACHABLE) from None
        raise
