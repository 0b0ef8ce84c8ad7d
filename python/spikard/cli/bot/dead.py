"""Updates that were given up: look at them, put them back, drop them."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from spikard.cli.bot import options
from spikard.cli.outcome import EXIT_DONE, EXIT_FAILURE, EXIT_USAGE, Failure, print_json, print_rows


def run(arguments: list[str]) -> int:
    """Run one of the subcommands."""
    parser = options.command_parser("dead", "Updates whose handling has ended the process again and again.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    options.add_storage_command(commands, "list", _list, "list them")
    for name, call, purpose in (
        ("retry", _retry, "handle them anew when the bot starts"),
        ("drop", _drop, "forget them"),
    ):
        one = options.add_storage_command(commands, name, call, purpose)
        one.add_argument("events", metavar="EVENT", type=int, nargs="+", help="numbers of events")
    given = parser.parse_args(arguments)
    return asyncio.run(_with_store(given))


async def _with_store(given: argparse.Namespace) -> int:
    from spikard.bots.offsets import OffsetStore

    storage = options.storage(given)
    try:
        if not isinstance(storage, OffsetStore):
            raise Failure(f"{type(storage).__name__} keeps no updates", EXIT_USAGE)
        done: int = await given.call(given, storage, options.bot_id(given))
    finally:
        await storage.close()
    return done


async def _list(given: argparse.Namespace, store: Any, bot_id: str) -> int:
    rows = [
        {
            **letter._asdict(),
            "raw": (event := msgspec.json.decode(letter.raw)),
            "type": event.get("type"),
            "died_at": datetime.fromtimestamp(letter.died_at, UTC),
        }
        for letter in await store.dead(bot_id)
    ]
    columns = ("event_id", "type", "attempts", "error", "died_at")
    print_rows(rows, columns, as_json=given.json, name="dead", nothing="no updates were given up")
    return EXIT_DONE


async def _retry(given: argparse.Namespace, store: Any, bot_id: str) -> int:
    return await _each(given, lambda event: store.revive(bot_id, event), "back in the journal, for the next start")


async def _drop(given: argparse.Namespace, store: Any, bot_id: str) -> int:
    return await _each(given, lambda event: store.forget(bot_id, event), "dropped")


async def _each(given: argparse.Namespace, do: Callable[[int], Awaitable[bool]], done: str) -> int:
    results = {event: await do(event) for event in given.events}
    if given.json:
        print_json({"events": [{"event_id": event, "found": found} for event, found in results.items()]})
    else:
        for event, found in results.items():
            print(f"{event}: {done if found else 'is not among those that were given up'}")
    return EXIT_DONE if all(results.values()) else EXIT_FAILURE
