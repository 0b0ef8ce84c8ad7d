"""Arguments that several commands have: whose token, which dispatcher, which storage."""

import argparse
import os
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikard.cli import target
from spikard.cli.outcome import EXIT_USAGE, Failure
from spikard.errors import ConfigError

if TYPE_CHECKING:
    from spikard.bots.bot import Bot
    from spikard.bots.dispatcher.dispatcher import Dispatcher
    from spikard.bots.storages.base import BaseStorage

TOKEN = "VKTEAMS_TOKEN"  # noqa: S105 - a variable's name
STORE = "SPIKARD_BOTS_STORE"
CONVENTIONAL = ("dp", "dispatcher")


def command_parser(name: str, description: str, **options: Any) -> argparse.ArgumentParser:
    """The parser of a subcommand."""
    return argparse.ArgumentParser(prog=f"spikard bot {name}", description=description, allow_abbrev=False, **options)


def add_json(parser: argparse.ArgumentParser) -> None:
    """The switch for programs that read the output."""
    parser.add_argument("--json", action="store_true", help="print the result for programs")


# --- the dispatcher


def add_dispatcher(parser: argparse.ArgumentParser) -> None:
    """Which dispatcher is meant."""
    parser.add_argument("target", metavar="MODULE:DP", help="module:dp, bot.py:dp or bot.py; dp may be a function")
    parser.add_argument("--app-dir", metavar="DIR", help="where modules are looked for; by default here")


def dispatcher(given: argparse.Namespace) -> "Dispatcher":
    """The dispatcher that the command line names."""
    from spikard.bots.dispatcher.dispatcher import Dispatcher
    from spikard.bots.router import Router

    found = _imported(given.target, lambda: _attribute(given.target, given.app_dir))
    found = _made(given.target, found)
    if isinstance(found, Dispatcher):
        return found
    if isinstance(found, Router):
        dp = Dispatcher()
        dp.include_router(found)
        return dp
    raise Failure(f"{given.target} is a {type(found).__qualname__}, not a Dispatcher", EXIT_USAGE)


def _attribute(text: str, app_dir: str | None) -> object:
    from spikard.bots.dispatcher.dispatcher import Dispatcher

    place = target.Target.parse(text)
    if place.attribute is not None:
        return target.find(text, app_dir)
    module = target.imported(place, app_dir)
    known = {name: value for name, value in vars(module).items() if isinstance(value, Dispatcher)}
    for name in CONVENTIONAL:
        if name in known:
            return known[name]
    if len(known) == 1:
        return next(iter(known.values()))
    if not known:
        raise ConfigError(f"{text} has no Dispatcher; write `dp = Dispatcher()` there, or give {text}:name")
    raise ConfigError(f"{text} has several dispatchers ({', '.join(sorted(known))}); choose one with {text}:name")


def _made(text: str, found: object) -> object:
    """What a function gives that makes it."""
    from spikard.bots.router import Router

    if isinstance(found, Router) or not callable(found) or isinstance(found, type):
        return found
    return _imported(text, found)


def _imported(text: str, load: Callable[[], object]) -> object:
    """What somebody's code gives; a fault of it is told in one line, with the place."""
    try:
        return load()
    except ConfigError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever the imported code raises
        raise Failure(f"{text} cannot be imported: {in_one_line(error)}", EXIT_USAGE) from None


def in_one_line(error: BaseException) -> str:
    """An error of somebody's program: its kind, its text, and where it was raised."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({last.filename}:{last.lineno})"


# --- the bots


def add_bot(parser: argparse.ArgumentParser, *, several: bool = False) -> None:
    """Whose token is meant; it never stands on the command line, where others see it."""
    more = "; may be given again for several" if several else ""
    parser.add_argument(
        "--token-env", metavar="NAME", action="append", default=[], help=f"the variable with the token ({TOKEN}){more}"
    )
    parser.add_argument("--token-file", metavar="FILE", type=Path, help="a file that holds the token")
    parser.add_argument("--api-url", metavar="URL", help="address of the server (VKTEAMS_API_URL)")


def bots(given: argparse.Namespace) -> "list[Bot]":
    """The bots that the command line names."""
    from spikard.bots.bot import Bot

    found = [_bot_of(text, given) for text in getattr(given, "bot", [])]
    found += [Bot(_variable(name), given.api_url) for name in given.token_env]
    if given.token_file is not None:
        found.append(Bot(_token(given.token_file), given.api_url))
    if not found and not os.environ.get(TOKEN):
        raise Failure("which bot?", EXIT_USAGE, f"set {TOKEN}, or give --token-env NAME or --token-file FILE")
    return found or [Bot(None, given.api_url)]


def one_bot(given: argparse.Namespace) -> "Bot":
    """The bot that the command line names."""
    found = bots(given)
    if len(found) > 1:
        raise Failure("this command is for one bot: give one token", EXIT_USAGE)
    return found[0]


def _bot_of(text: str, given: argparse.Namespace) -> "Bot":
    from spikard.bots.bot import Bot

    found = _imported(text, lambda: target.find(text, given.app_dir))
    if callable(found) and not isinstance(found, Bot):
        found = _imported(text, found)
    if not isinstance(found, Bot):
        raise Failure(f"{text} is a {type(found).__qualname__}, not a Bot", EXIT_USAGE)
    return found


def _variable(name: str) -> str:
    token = os.environ.get(name)
    if not token:
        raise Failure(f"the variable {name} holds no token", EXIT_USAGE)
    return token


def _token(file: Path) -> str:
    try:
        token = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise Failure(f"{file} cannot be read: {error.strerror}", EXIT_USAGE) from None
    if not token or len(token.split()) != 1:
        raise Failure(f"{file} holds no token: one word is expected", EXIT_USAGE)
    return token


# --- the storage


def add_storage(parser: argparse.ArgumentParser) -> None:
    """Which storage is meant, and whose records."""
    parser.add_argument("--storage", metavar="URL", help=f"sqlite:FILE, postgresql://… or redis://… ({STORE})")
    parser.add_argument("--bot-id", metavar="ID", help="the bot's number; by default that of the token")


def add_storage_command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    call: Callable[..., Awaitable[int]],
    purpose: str,
) -> argparse.ArgumentParser:
    """A subcommand that works on a storage, `call` on what is there; its parser, for what else it takes."""
    one = commands.add_parser(name, help=purpose, description=purpose, allow_abbrev=False)
    add_storage(one)
    add_bot(one)
    add_json(one)
    one.set_defaults(call=call)
    return one


def storage(given: argparse.Namespace) -> "BaseStorage":
    """The storage that the command line names."""
    from spikard.bots.storages.factory import create_storage

    url = given.storage or os.environ.get(STORE)
    if not url:
        raise Failure(f"which storage? Give --storage URL, or set {STORE}", EXIT_USAGE)
    if url.startswith("memory"):
        raise Failure("what is in memory is in the bot's own process: no command can look at it", EXIT_USAGE)
    if url.startswith("sqlite:"):
        path = Path(url.removeprefix("sqlite:").removeprefix("///"))
        if not path.is_file():
            raise Failure(f"there is no database {path}", EXIT_USAGE)
    return create_storage(url)


def bot_id(given: argparse.Namespace) -> str:
    """Whose records are meant."""
    return str(given.bot_id or one_bot(given).id)
