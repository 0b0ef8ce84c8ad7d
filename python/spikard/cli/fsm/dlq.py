"""Dead letters: what workers have given up."""

import argparse
from typing import TYPE_CHECKING

from spikard.cli.fsm import options
from spikard.cli.fsm.database import add_database, opened
from spikard.cli.fsm.outcome import EXIT_DONE, Failure, print_json, print_rows

if TYPE_CHECKING:
    from spikard.fsm.dead_letters.client import DLQClient


def run(arguments: list[str]) -> int:
    """Run one of the subcommands."""
    from spikard.fsm.dead_letters.client import DLQClient
    from spikard.fsm.worker.config import WorkerConfig

    given = parser().parse_args(arguments)
    # Says what is wrong where the database cannot be reached, or has no tables.
    with opened(given.database or WorkerConfig().resolve_dlq_database_url()):
        client = DLQClient(given.database) if given.database else DLQClient.from_config()
    try:
        done: int = given.call(given, client)
    finally:
        client.close()
    return done


def parser() -> argparse.ArgumentParser:
    """What they take."""
    from spikard.fsm.dead_letters.record import DLQStatus

    whole = argparse.ArgumentParser(prog="spikard fsm dlq", description="Look at dead letters, and settle them.")
    commands = whole.add_subparsers(metavar="COMMAND", required=True)

    def add(name: str, call: object, purpose: str) -> argparse.ArgumentParser:
        one = options.add_command(commands, name, call, purpose)
        add_database(one)
        return one

    one = add("list", list_all, "list dead letters, the newest first")
    one.add_argument(
        "--status",
        choices=[status.value for status in DLQStatus],
        default="pending",
        help="only of this status (pending)",
    )
    one.add_argument("--all", action="store_true", help="whatever their status is")
    one.add_argument("--machine", help="only of this machine")
    one.add_argument("--reason", help="only with this reason")
    one.add_argument("--limit", metavar="N", type=options.positive, default=100, help="at most so many (100)")
    one = add("redrive", redrive, "put events back in their queue")
    one.add_argument("records", metavar="RECORD", nargs="+")
    one = add("drop", drop, "settle dead letters without doing what they are about")
    one.add_argument("records", metavar="RECORD", nargs="+")
    return whole


def list_all(given: argparse.Namespace, client: "DLQClient") -> int:
    """List them."""
    status = None if given.all else given.status
    page = client.query(source_name=given.machine, reason=given.reason, status=status, limit=given.limit)
    rows = [
        {
            **record.to_dict(),
            "machine": record.source_name,
            "entity": record.payload.get("entity_id"),
            "trigger": record.payload.get("trigger"),
            "error": record.error_message,
        }
        for record in page.records
    ]
    columns = ("record_id", "machine", "entity", "trigger", "reason", "error", "created_at")
    print_rows(rows, columns, as_json=given.json, name="records", nothing="no dead letters")
    if page.has_more and not given.json:
        print(f"{page.total} in all; --limit shows more")
    return EXIT_DONE


def redrive(given: argparse.Namespace, client: "DLQClient") -> int:
    """Put them back."""
    events = [{"record_id": one, "event_id": client.redrive(one)} for one in given.records]
    if given.json:
        print_json({"redriven": events, "count": len(events)})
    else:
        for event in events:
            print(f"{event['record_id']}: back in the queue as {event['event_id']}")
    return EXIT_DONE


def drop(given: argparse.Namespace, client: "DLQClient") -> int:
    """Settle them."""
    for record in given.records:
        if not client.ignore(record):
            raise Failure(f"there is no dead letter {record}", hint="spikard fsm dlq list --all")
    if given.json:
        print_json({"dropped": given.records, "count": len(given.records)})
    else:
        print(f"dropped {', '.join(given.records)}")
    return EXIT_DONE
