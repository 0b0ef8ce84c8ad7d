"""Entities brought to another version of their machine."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikard.cli.fsm import machine_file, options
from spikard.cli.fsm.database import add_database, masked, opened, reaching
from spikard.cli.fsm.outcome import EXIT_DONE, EXIT_FINDINGS, EXIT_USAGE, Failure, print_json
from spikard.fsm.settings import application_database

if TYPE_CHECKING:
    from spikard.fsm.entity_migration.migrator import EntityMigrator
    from spikard.fsm.entity_migration.outcome import MigrationOutcome, MigrationReport


def run(arguments: list[str]) -> int:
    """Migrate: 3 where entities have no place in the version."""
    parser = options.command_parser(
        "migrate",
        "Bring entities to the version of a machine in a file, by the migrations that are written in it. "
        "Entities that have no place there stay as they are, and are named.",
    )
    options.add_file(parser)
    options.add_variables(parser)
    add_database(parser, "sqlite:///FILE, postgresql://…, redis://… or mongodb://…")
    parser.add_argument("--entity", metavar="ID", action="append", default=[], help="only this one; may be repeated")
    parser.add_argument("--dry-run", action="store_true", help="change nothing, say what would be")
    parser.add_argument("--from-version", metavar="VERSION", help="of entities of which the store does not know it")
    parser.add_argument("--timers", choices=("resume", "restart"), default="resume", help="timers that run (resume)")
    parser.add_argument("--after", metavar="ID", default="", help="go on after this entity, in the order of ids")
    parser.add_argument(
        "--batch-size", metavar="N", type=options.positive, default=500, help="in one transaction (500)"
    )
    given = parser.parse_args(arguments)
    machine = machine_file.build(given.file, options.variables(given.var))
    from spikard.fsm.entity_migration.migrator import EntityMigrator

    with any_store(given.database) as store:
        migrator = EntityMigrator(machine, store, from_version=given.from_version, timers=given.timers)
        report = _named(migrator, given) if given.entity else _all(migrator, given)
    if given.json:
        print_json({"dry_run": given.dry_run, **_plain(report)})
    else:
        tell(report, given.file)
    return EXIT_FINDINGS if report.refused else EXIT_DONE


def _all(migrator: "EntityMigrator", given: argparse.Namespace) -> "MigrationReport":
    return migrator.migrate_all(dry_run=given.dry_run, after=given.after, batch_size=given.batch_size)


def _named(migrator: "EntityMigrator", given: argparse.Namespace) -> "MigrationReport":
    from spikard.fsm.entity_migration.outcome import MigrationOutcome, MigrationRefusedError, MigrationReport

    report = MigrationReport(migrator.machine.version)
    for entity_id in given.entity:
        try:
            report.add(migrator.migrate(entity_id, dry_run=given.dry_run))
        except MigrationRefusedError as error:
            refused = MigrationOutcome(
                entity_id, "refused", error.from_version, error.to_version, error.state, reason=error.reason
            )
            report.add(refused)
        report.last_entity_id = entity_id
    return report


def _plain(report: "MigrationReport") -> dict[str, Any]:
    return {
        "to_version": report.to_version,
        "total": report.total,
        "migrated": report.migrated,
        "planned": report.planned,
        "current": report.current,
        "refused": report.refused,
        "last_entity_id": report.last_entity_id,
        "refusals": report.refusals,
    }


def tell(report: "MigrationReport", file: Path) -> None:
    """Print how many there were, and why some were refused."""
    for outcome in report.refusals:
        print(f"refused  {outcome.entity_id}: {_why(outcome)}")
    if report.refused > len(report.refusals):
        print(f"         and {report.refused - len(report.refusals)} more")
    counts = [(report.migrated, "migrated"), (report.planned, "would be migrated"), (report.current, "there already")]
    said = ", ".join(f"{count} {what}" for count, what in (*counts, (report.refused, "refused")) if count)
    print(f"{file} {report.to_version}: {said or 'there are no entities'}")


def _why(outcome: "MigrationOutcome") -> str:
    return f"in '{outcome.source_state}' of version {outcome.from_version or 'unknown'}: {outcome.reason}"


@contextmanager
def any_store(url: str | None) -> Iterator[Any]:
    """The store of a URL, else of the settings: SQL with all its tables, Redis or MongoDB."""
    from spikard.fsm.stores.factory import unconnected_state_store
    from spikard.fsm.stores.sql import SqlStateStore

    place = url or application_database()
    try:
        store = unconnected_state_store(place)
    except ValueError as error:
        raise Failure(masked(str(error)), EXIT_USAGE) from None
    if isinstance(store, SqlStateStore):
        with opened(place) as found:
            yield found
        return
    if not hasattr(store, "connect"):
        raise Failure(f"{masked(place)}: nothing is kept there longer than a process lives", EXIT_USAGE)
    with reaching(place):
        store.connect()
    try:
        with reaching(place):
            yield store
    finally:
        store.disconnect()
