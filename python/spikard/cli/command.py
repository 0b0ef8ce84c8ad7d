"""Which subcommand is meant."""

import sys
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module
from io import TextIOWrapper
from typing import cast

# Name: module that has `run(arguments) -> exit code`, and what it is for.
COMMANDS = {
    "serve": ("spikard.cli.serve", "serve an application with worker processes"),
    "run": ("spikard.cli.serve", "the same as serve"),
    "check": ("spikard.cli.check", "look for faults of an application without serving it"),
    "routes": ("spikard.cli.routes", "list the routes of an application"),
    "openapi": ("spikard.cli.openapi", "print the OpenAPI document of an application"),
    "asyncapi": ("spikard.cli.asyncapi", "print the AsyncAPI document of an application"),
    "fsm": ("spikard.cli.fsm.command", "work with state machines: check, draw, try out, store, serve"),
    "bot": ("spikard.cli.bot.command", "run bots, look at them, try them out by hand"),
    "version": ("spikard.cli.version", "show what is installed here"),
}
EXIT_USAGE = 2

Commands = Mapping[str, tuple[str, str]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the `spikard` command; gives its exit code."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    for stream in (sys.stdout, sys.stderr):
        # A report is not to end at a sign that the terminal has not.
        if isinstance(stream, TextIOWrapper) and (stream.errors == "strict" or stream.encoding.lower() != "utf-8"):
            stream.reconfigure(errors="backslashreplace")
    if given[:1] in (["-V"], ["--version"]):
        given = ["version", *given[1:]]
    return dispatch("spikard", COMMANDS, given)


def dispatch(program: str, commands: Commands, arguments: Sequence[str]) -> int:
    """Run the command of a table that the first argument names, with the others; gives its exit code."""
    name, *rest = arguments or ["--help"]
    if name in {"-h", "--help", "help"}:
        print(usage(program, commands))
        return 0
    if name not in commands:
        meant = get_close_matches(name, commands, 1)
        hint = f"did you mean {meant[0]!r}?" if meant else f"it is one of {', '.join(commands)}"
        print(f"{program}: error: unknown command {name!r}; {hint}", file=sys.stderr)
        return EXIT_USAGE
    module, _ = commands[name]
    run = cast("Callable[[list[str]], int]", import_module(module).run)
    return run(rest)


def usage(program: str, commands: Commands) -> str:
    """What `--help` prints."""
    width = max(map(len, commands))
    lines = [f"  {name:<{width}}  {purpose}" for name, (_, purpose) in commands.items()]
    return "\n".join(
        [
            f"Usage: {program} COMMAND [OPTIONS]",
            "",
            *lines,
            "",
            f"`{program} COMMAND --help` explains the options of a command.",
        ]
    )
