"""Run a dispatcher until a signal."""

import argparse
import asyncio
import logging
import sys
from typing import TYPE_CHECKING

from spikard.cli.bot import options, watch
from spikard.cli.outcome import EXIT_DONE

if TYPE_CHECKING:
    from spikard.bots.bot import Bot

LEVELS = ("debug", "info", "warning", "error")
logger = logging.getLogger("spikard.bots.cli")


def run(arguments: list[str]) -> int:
    """Poll: 0 when a signal has ended it, 2 for a wrong configuration, 3 if the server does not know the token."""
    given = parser().parse_args(arguments)
    if given.reload:
        return watch.restarting(["bot", "run", *(one for one in arguments if one != "--reload")], given)
    _log(given.log_level)
    dp = options.dispatcher(given)
    if given.storage is not None:
        dp.use_storage(given.storage)
    bots = options.bots(given)
    dp.on_startup(_tell)
    asyncio.run(dp.start_polling(*bots, skip_updates=given.skip_updates))
    logger.info("stopped")
    return EXIT_DONE


def parser() -> argparse.ArgumentParser:
    """What it takes."""
    parser = options.command_parser(
        "run", "Run a dispatcher until a signal; updates that have begun are finished, a second signal ends at once."
    )
    options.add_dispatcher(parser)
    parser.add_argument(
        "--bot",
        metavar="MODULE:BOT",
        action="append",
        default=[],
        help="a Bot, or a function that makes it; again for more",
    )
    options.add_bot(parser, several=True)
    parser.add_argument("--skip-updates", action="store_true", help="drop what waits at the server")
    parser.add_argument("--storage", metavar="URL", help="where states are kept, in place of the dispatcher's storage")
    parser.add_argument("--reload", action="store_true", help="start again when a Python file changes")
    parser.add_argument(
        "--reload-dir", metavar="DIR", action="append", default=[], help="directories to watch; by default this one"
    )
    parser.add_argument("--log-level", choices=LEVELS, default="info")
    return parser


def _log(level: str) -> None:
    logging.basicConfig(
        level=level.upper(), stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    if level != "debug":
        # A line for each poll tells nobody anything.
        for name in ("httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.WARNING)


def _tell(bots: "tuple[Bot, ...]") -> None:
    for bot in bots:
        nick = bot.me.nick if bot.me is not None else None
        logger.info("polling as %s (%s) at %s", nick or bot.name or "a bot", bot.id, bot.api_url)
