"""Which subcommand of `spikard bot` is meant, and what becomes of errors."""

import logging
import os
import sys
from collections.abc import Sequence

from spikard.cli import command
from spikard.cli.bot.options import in_one_line
from spikard.cli.outcome import EXIT_FAILURE, EXIT_USAGE, Failure, told
from spikard.errors import ConfigError, SpikardError

PROGRAM = "spikard bot"
# Name: module that has `run(arguments) -> exit code`, and what it is for.
COMMANDS = {
    "run": ("spikard.cli.bot.run", "run a dispatcher until a signal"),
    "check": ("spikard.cli.bot.check", "look for faults of handlers without running them"),
    "plan": ("spikard.cli.bot.plan", "list handlers in the order in which they are asked"),
    "me": ("spikard.cli.bot.me", "ask the server who the bot is"),
    "send": ("spikard.cli.bot.send", "send a text or a file"),
    "events": ("spikard.cli.bot.events", "show events as they come"),
    "doctor": ("spikard.cli.bot.doctor", "find out why a bot does not work"),
    "fake": ("spikard.cli.bot.fake", "serve a fake VK Teams with a page to chat by hand"),
    "chat": ("spikard.cli.bot.chat", "talk with a bot in the terminal, without a server"),
    "dead": ("spikard.cli.bot.dead", "look at updates that were given up, put them back or drop them"),
    "state": ("spikard.cli.bot.state", "look at states of dialogues, set and clear them"),
}
EXIT_TOKEN = 3
EXIT_INTERRUPTED = 130


def run(arguments: Sequence[str]) -> int:
    """Run a subcommand; gives its exit code. Errors are told in one line each, without tokens, never as tracebacks."""
    as_json = "--json" in arguments
    try:
        return _run(arguments, as_json)
    except SystemExit as end:
        # What argparse ends with: help that was asked for, or arguments that it does not understand.
        return end.code if isinstance(end.code, int) else EXIT_USAGE
    except Failure as failure:
        return told(PROGRAM, _line(failure.message), failure.hint, failure.exit_code, as_json=as_json)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("spikard"):
            raise
        return told(PROGRAM, _line(str(error)), "pip install 'spikard[bots]'", EXIT_FAILURE, as_json=as_json)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has seen enough; the interpreter must not complain about it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILURE


def _run(arguments: Sequence[str], as_json: bool) -> int:
    from spikard.bots.errors import HandlerError, InvalidToken

    # What goes wrong is told once, by us.
    logging.getLogger("spikard.bots").addHandler(logging.NullHandler())
    try:
        return command.dispatch(PROGRAM, COMMANDS, arguments)
    except (ConfigError, HandlerError) as error:
        return told(PROGRAM, _line(str(error)), None, EXIT_USAGE, as_json=as_json)
    except InvalidToken as error:
        hint = "is it the token of a bot of this server? spikard bot doctor tells more"
        return told(PROGRAM, _line(str(error)), hint, EXIT_TOKEN, as_json=as_json)
    except (SpikardError, OSError) as error:
        return told(PROGRAM, _line(str(error) or type(error).__name__), None, EXIT_FAILURE, as_json=as_json)
    except (Failure, ModuleNotFoundError):
        raise
    except Exception as error:
        logging.getLogger("spikard.bots.cli").debug("the command has failed", exc_info=error)
        return told(PROGRAM, _line(in_one_line(error)), None, EXIT_FAILURE, as_json=as_json)


def _line(text: str) -> str:
    from spikard.bots.redaction import redact

    return redact(" ".join(text.split()))
