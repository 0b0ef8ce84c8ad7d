"""The table of an application's routes."""

import argparse
import sys
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING

from spikard.cli import target
from spikard.errors import ConfigError, RouteError

if TYPE_CHECKING:
    from spikard.routing.route import Route

HEADINGS = ("Method", "Path", "Handler")
EXIT_CONFIG = 2
EXIT_STARTUP = 3


def run(arguments: list[str]) -> int:
    """Print the routes of the application that the arguments name."""
    parser = argparse.ArgumentParser(prog="spikard routes", description="List the routes of an application.")
    parser.add_argument("target", metavar="TARGET", help="module:attribute, module or path/to/file.py[:attribute]")
    parser.add_argument("--app-dir", metavar="DIR", help="where modules are looked for first")
    options = parser.parse_args(arguments)
    try:
        app = target.load(options.target, options.app_dir)
    except (ConfigError, RouteError) as fault:
        print(f"spikard: error: {fault}", file=sys.stderr)
        return EXIT_CONFIG
    except Exception:  # noqa: BLE001
        traceback.print_exc()
        print(f"spikard: error: {options.target} cannot be imported", file=sys.stderr)
        return EXIT_STARTUP
    show([row(route) for route in app.get_routes()])
    return 0


def row(route: "Route") -> tuple[str, str, str]:
    """What is shown of a route."""
    return str(route.method), route.path, route.handler_name


def show(rows: Sequence[tuple[str, str, str]]) -> None:
    """Print a table: a handsome one where `rich` is installed, a plain one otherwise."""
    try:
        from rich.console import Console
        from rich.table import Table
    except ImportError:
        print(plain_table(rows))
        return
    table = Table(*HEADINGS)
    for cells in rows:
        table.add_row(*cells)
    Console().print(table)


def plain_table(rows: Sequence[tuple[str, str, str]]) -> str:
    """Columns, aligned."""
    lines = [HEADINGS, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
