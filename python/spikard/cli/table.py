"""Tables in the terminal: handsome where `rich` is installed, plain otherwise."""

from collections.abc import Sequence


def show(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table."""
    try:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ImportError:
        print(plain(headings, rows))
        return
    table = Table(*headings)
    for cells in rows:
        table.add_row(*(Text(cell, overflow="fold") for cell in cells))
    Console().print(table)


def plain(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns, aligned."""
    lines = [headings, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
