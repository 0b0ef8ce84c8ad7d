"""Which subcommand is meant."""

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import cast

# Name: module that has `run(arguments) -> exit code`, and what it is for.
COMMANDS = {
    "serve": ("spikard.cli.serve", "serve an application with worker processes"),
    "run": ("spikard.cli.serve", "the same as serve"),
    "check": ("spikard.cli.check", "look for faults of an application without serving it"),
    "routes": ("spikard.cli.routes", "list the routes of an application"),
    "openapi": ("spikard.cli.openapi", "print the OpenAPI document of an application"),
    "asyncapi": ("spikard.cli.asyncapi", "print the AsyncAPI document of an application"),
    "version": ("spikard.cli.version", "show what is installed here"),
}
EXIT_USAGE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the `spikard` command; gives its exit code."""
    name, *rest = (sys.argv[1:] if arguments is None else list(arguments)) or ["--help"]
    if name in {"-h", "--help", "help"}:
        print(usage())
        return 0
    if name in {"-V", "--version"}:
        name = "version"
    if name not in COMMANDS:
        print(f"spikard: error: unknown command {name!r}; it is one of {', '.join(COMMANDS)}", file=sys.stderr)
        return EXIT_USAGE
    module, _ = COMMANDS[name]
    run = cast("Callable[[list[str]], int]", import_module(module).run)
    return run(rest)


def usage() -> str:
    """What `--help` prints."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {purpose}" for name, (_, purpose) in COMMANDS.items()]
    return "\n".join(
        [
            "Usage: spikard COMMAND [OPTIONS]",
            "",
            *lines,
            "",
            "`spikard COMMAND --help` explains the options of a command.",
        ]
    )
