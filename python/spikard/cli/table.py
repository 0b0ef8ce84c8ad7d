"""Tables in the terminal: handsome where `rich` is installed, plain otherwise."""

import sys
from collections.abc import Sequence


def show(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table. What goes on to another program has no lines around it."""
    if not sys.stdout.isatty():
        print(plain(headings, rows))
        return
    try:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ImportError:
        print(plain(headings, rows))
        return
    table = Table()
    for number, heading in enumerate(headings, 1):
        # Names and numbers stay whole; the last column has the longest texts.
        table.add_column(heading, no_wrap=number < len(headings))
    for cells in rows:
        table.add_row(*(Text(cell) for cell in cells))
    Console().print(table)


def plain(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns, aligned."""
    lines = [headings, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
