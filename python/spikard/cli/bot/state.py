"""States of dialogues: look at them, set them, clear them."""

import argparse
import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from spikard.cli.bot import options
from spikard.cli.outcome import EXIT_DONE, EXIT_FAILURE, EXIT_USAGE, Failure, print_json, print_rows

if TYPE_CHECKING:
    from spikard.bots.storages.base import BaseStorage, StorageKey

STRATEGIES = ("user_in_chat", "chat", "global_user", "user_in_thread", "chat_thread")


def run(arguments: list[str]) -> int:
    """Run one of the subcommands."""
    parser = options.command_parser("state", "States of dialogues in a storage that outlives its process.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def add(name: str, call: Callable[..., Awaitable[int]], purpose: str) -> argparse.ArgumentParser:
        one = options.add_storage_command(commands, name, call, purpose)
        one.add_argument("--chat", metavar="CHAT", help="the chat; by default the private one of the user")
        one.add_argument("--strategy", choices=STRATEGIES, default=STRATEGIES[0], help="the dispatcher's fsm_strategy")
        return one

    one = add("show", _show, "show the state of a user, or all that there are")
    one.add_argument("user", metavar="USER", nargs="?", help="whose; without it all are listed")
    one.add_argument("--state", metavar="STATE", help="of all only those in this one")
    one = add("set", _set, "put a user into a state; a dispatcher that runs sees it at the next update")
    one.add_argument("user", metavar="USER")
    one.add_argument("state", metavar="STATE", help="like Order:tea")
    one.add_argument("--data", metavar="JSON", help="what was gathered, in place of what is there")
    one = add("clear", _clear, "forget state and data of a user")
    one.add_argument("user", metavar="USER")
    given = parser.parse_args(arguments)
    return asyncio.run(_with_storage(given))


async def _with_storage(given: argparse.Namespace) -> int:
    storage = options.storage(given)
    try:
        done: int = await given.call(given, storage, options.bot_id(given))
    finally:
        await storage.close()
    return done


def _key(given: argparse.Namespace, bot_id: str) -> "StorageKey":
    from spikard.bots.fsm.key import storage_key
    from spikard.bots.fsm.strategy import FSMStrategy

    event = SimpleNamespace(
        chat=SimpleNamespace(chat_id=given.chat or given.user), from_user=SimpleNamespace(user_id=given.user)
    )
    key = storage_key(bot_id, event, FSMStrategy(given.strategy))
    if key is None:
        raise Failure("whose state is meant? Name a user", EXIT_USAGE)
    return key


async def _show(given: argparse.Namespace, storage: "BaseStorage", bot_id: str) -> int:
    if given.user is not None:
        key = _key(given, bot_id)
        found = {key: await storage.get(key)}
    else:
        found = {key: record async for key, record in storage.scan(bot_id, given.state)}
    rows = [
        {
            "user": key.user_id,
            "chat": key.chat_id,
            "state": record.state,
            "data": record.data if given.json else json.dumps(record.data, ensure_ascii=False, default=str),
            "changed": datetime.fromtimestamp(record.updated_at, UTC) if record.updated_at else None,
        }
        for key, record in found.items()
        if not record.is_empty
    ]
    columns = ("user", "chat", "state", "data", "changed")
    print_rows(rows, columns, as_json=given.json, name="states", nothing="no state")
    return EXIT_DONE


async def _set(given: argparse.Namespace, storage: "BaseStorage", bot_id: str) -> int:
    key, data = _key(given, bot_id), _data(given.data)
    await storage.set_state(key=key, state=given.state)
    if data is not None:
        await storage.set_data(key=key, data=data)
    return _told(given, f"{given.user} is in {given.state}", True)


async def _clear(given: argparse.Namespace, storage: "BaseStorage", bot_id: str) -> int:
    from spikard.bots.fsm.context import FSMContext

    key = _key(given, bot_id)
    was_there = not (await storage.get(key)).is_empty
    await FSMContext(storage, key).clear()
    return _told(given, "forgotten" if was_there else f"{given.user} has no state here", was_there)


def _data(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        data = json.loads(text)
    except ValueError as error:
        raise Failure(f"--data is not JSON: {error}", EXIT_USAGE) from None
    if not isinstance(data, dict):
        raise Failure("--data is a JSON object", EXIT_USAGE)
    return data


def _told(given: argparse.Namespace, text: str, is_done: bool) -> int:
    if given.json:
        print_json({"user": given.user, "done": is_done})
    else:
        print(text)
    return EXIT_DONE if is_done else EXIT_FAILURE
