"""The database of state machines: its tables, machines to begin with, and what PyStator has left."""

import argparse
import re
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from spikard.cli.fsm import options
from spikard.cli.fsm.database import add_database, masked, opened
from spikard.cli.fsm.outcome import EXIT_DONE, EXIT_USAGE, Failure, print_json, print_rows
from spikard.fsm.settings import application_database


def run(arguments: list[str]) -> int:
    """Run one of the subcommands."""
    given = parser().parse_args(arguments)
    url = given.url or given.database
    done: int = given.call(given, url)
    return done


def parser() -> argparse.ArgumentParser:
    """What they take."""
    whole = argparse.ArgumentParser(prog="spikard fsm db", description="Manage the database of state machines.")
    commands = whole.add_subparsers(metavar="COMMAND", required=True)

    def add(name: str, call: object, purpose: str, *, url: bool = True) -> argparse.ArgumentParser:
        one = options.add_command(commands, name, call, purpose)
        add_database(one)
        if url:
            one.add_argument("url", metavar="URL", nargs="?", help="the database; the same as --database")
        one.set_defaults(url=None)
        return one

    add("init", init, "make the database and all of its tables")
    one = add("upgrade", upgrade, "make what is missing")
    one.add_argument("--revision", default="head", help="up to which version: a number, +1 or head (head)")
    one = add("downgrade", downgrade, "drop what later versions have made, with all that is kept in it")
    one.add_argument("--revision", default="-1", help="down to which version: a number, -1 or base (-1)")
    add("current", current, "say which version the database has")
    add("history", history, "list all versions")
    one = add("stamp", stamp, "say that the database has a version, whatever it has", url=False)
    one.add_argument("revision", nargs="?", default="head", help="a number, base or head (head)")
    one = add("seed", seed, "keep machines of a directory, or the templates", url=False)
    one.add_argument("directory", nargs="?", type=Path, help="where the files are (the templates of the package)")
    one = add("partition", partition, "PostgreSQL: keep what entities have gone through in a table for each month")
    one.add_argument("--months", metavar="N", type=int, default=3, help="make tables for so many months ahead (3)")
    one.add_argument("--drop-before", metavar="YYYY-MM", help="drop what is older than this month")
    one = add("truncate", truncate, "delete all rows of all tables")
    one.add_argument("--force", action="store_true", help="really")
    one = add("import-legacy", import_legacy, "copy a database of PyStator; goes on after an interruption", url=False)
    one.add_argument("source", metavar="URL", help="sqlite:///FILE or postgresql://… of PyStator")
    return whole


def init(given: argparse.Namespace, url: str | None) -> int:
    """Make everything."""
    given.revision = "head"
    return upgrade(given, url)


def upgrade(given: argparse.Namespace, url: str | None) -> int:
    """Make what is missing."""
    from spikard.fsm.stores import migration

    with opened(url, with_tables=False, make_file=True) as store:
        at = store._run("read", lambda: migration.present(store.words))
        target = revision(given.revision, at)
        if target < at:
            raise Failure(f"the database has version {at} already", hint="spikard fsm db downgrade goes back")
        made = store._run("write", lambda: migration.upgrade(store.words, target))
    return changed(given, url, made, target, "made")


def downgrade(given: argparse.Namespace, url: str | None) -> int:
    """Drop what later versions have made."""
    from spikard.fsm.stores import migration

    with opened(url, with_tables=False) as store:
        at = store._run("read", lambda: migration.present(store.words))
        target = revision(given.revision, at)
        if target > at:
            raise Failure(f"the database has version {at}", hint="spikard fsm db upgrade goes on from there")
        gone = store._run("write", lambda: migration.downgrade(store.words, target))
    return changed(given, url, gone, target, "dropped")


def changed(given: argparse.Namespace, url: str | None, versions: list[int], at: int, what: str) -> int:
    """Say what was made or dropped."""
    place = masked(url or application_database())
    if given.json:
        print_json({"database": place, "version": at, what: versions})
    elif versions:
        print(f"{place}: {what} version{'s' if len(versions) > 1 else ''} {', '.join(map(str, versions))}")
    else:
        print(f"{place}: nothing to do, it has version {at}")
    return EXIT_DONE


def partition(given: argparse.Namespace, url: str | None) -> int:
    """Have tables for the months to come."""
    from spikard.fsm.stores.partitions import Month, divided
    from spikard.fsm.stores.postgres import PostgresStateStore

    if not 0 <= given.months <= 120:
        raise Failure(f"--months {given.months} is not from 0 to 120", EXIT_USAGE)
    try:
        oldest = None if given.drop_before is None else Month.read(given.drop_before)
    except ValueError as error:
        raise Failure(f"--drop-before: {error}", EXIT_USAGE) from None
    with opened(url) as store:
        if not isinstance(store, PostgresStateStore):
            raise Failure("only PostgreSQL divides tables", EXIT_USAGE)
        result = store._run("write", lambda: divided(datetime.now(UTC), given.months, oldest))
    if given.json:
        print_json({"database": masked(url or application_database()), **asdict(result)})
        return EXIT_DONE
    if result.is_new:
        print("what entities have gone through is in a table for each month now")
    for what, months in (("made", result.made), ("dropped", result.dropped)):
        if months:
            print(f"{what} {', '.join(months)}")
    if not (result.made or result.dropped):
        print("nothing to do")
    return EXIT_DONE


def current(given: argparse.Namespace, url: str | None) -> int:
    """Say which version there is."""
    from spikard.fsm.stores import migration

    with opened(url, with_tables=False) as store:
        at = store._run("read", lambda: migration.present(store.words))
    place = masked(url or application_database())
    if given.json:
        print_json({"database": place, "version": at, "latest": migration.LATEST})
    else:
        print(f"{place}: version {at} of {migration.LATEST}")
    return EXIT_DONE


def history(given: argparse.Namespace, url: str | None) -> int:
    """List all versions; which of them the database has, if there is one."""
    from spikard.fsm.stores import migration

    at = 0
    try:
        with opened(url, with_tables=False) as store:
            at = store._run("read", lambda: migration.present(store.words))
    except Failure:
        # What could be made is worth knowing without a database, too.
        at = 0
    rows = [
        {"version": number, "makes": migration.summary(number), "present": "yes" if number <= at else "no"}
        for number in range(1, migration.LATEST + 1)
    ]
    print_rows(rows, ("version", "present", "makes"), as_json=given.json, name="versions", nothing="no versions")
    return EXIT_DONE


def stamp(given: argparse.Namespace, url: str | None) -> int:
    """Write a version down."""
    from spikard.fsm.stores import migration

    with opened(url, with_tables=False) as store:
        at = store._run("read", lambda: migration.present(store.words))
        target = revision(given.revision, at)
        store._run("write", lambda: migration.stamp(store.words, target))
    return changed(given, url, [target], target, "stamped")


def seed(given: argparse.Namespace, url: str | None) -> int:
    """Keep machines to begin with."""
    from spikard.cli.fsm import machines

    return machines.keep_all(machines.seeds(given.directory), url, as_json=given.json)


def truncate(given: argparse.Namespace, url: str | None) -> int:
    """Delete everything but the tables."""
    from spikard.fsm.stores import migration

    if not given.force:
        raise Failure("this deletes all machines, entities and events", EXIT_USAGE, "say --force if that is meant")
    with opened(url) as store:
        counts = store._run("write", lambda: migration.emptied(store.words))
    if given.json:
        print_json({"deleted": counts})
    else:
        print(f"deleted {sum(counts.values())} rows of {len(counts)} tables")
    return EXIT_DONE


def import_legacy(given: argparse.Namespace, url: str | None) -> int:
    """Copy what PyStator has kept."""
    from spikard.fsm.stores.legacy_import import ImportProgress, import_legacy_database

    def told(progress: ImportProgress) -> None:
        if not given.json:
            print(f"{progress.table}: {progress.rows} rows{'' if progress.is_done else ' …'}", flush=True)

    with opened(given.source, with_tables=False, hint=None) as source, opened(url) as target:
        report = import_legacy_database(source, target, masked(given.source), told)
    if given.json:
        print_json({"source": masked(given.source), "rows": report})
    else:
        print(f"{sum(report.values())} rows are here now")
    return EXIT_DONE


def revision(text: str, at: int) -> int:
    """The version that is meant, where the database has `at`."""
    from spikard.fsm.stores.migration import LATEST

    known = {"head": LATEST, "base": 0}
    if text in known:
        return known[text]
    if not re.fullmatch(r"[+-]?\d+", text):
        raise Failure(f"--revision {text}: it is a number, +1, -1, base or head", EXIT_USAGE)
    target = at + int(text) if text[0] in "+-" else int(text)
    if not 0 <= target <= LATEST:
        raise Failure(f"there is no version {target}: there are 0 (base) to {LATEST} (head)", EXIT_USAGE)
    return target
