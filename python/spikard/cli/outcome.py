"""How commands with subcommands end, and how they say what came of it."""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from spikard.cli import table

EXIT_DONE = 0
EXIT_FAILURE = 1
EXIT_USAGE = 2


class Failure(Exception):  # noqa: N818 - an end of a command, not an error of a program
    """The command cannot do what it was asked for; said in one message, with the exit code."""

    def __init__(self, message: str, exit_code: int = EXIT_FAILURE, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code
        self.hint = hint


def print_json(value: Any) -> None:
    """Print a value for programs: times as ISO 8601, what JSON does not know as its text."""
    plain = msgspec.to_builtins(value, enc_hook=str)
    text = json.dumps(plain, indent=2, ensure_ascii=False)
    # Where the terminal has not all signs, JSON has its own way to write them.
    print(text if _is_printable(text) else json.dumps(plain, indent=2))


def print_rows(
    rows: Sequence[dict[str, Any]], columns: Sequence[str], *, as_json: bool, name: str, nothing: str
) -> None:
    """Print rows as a table of some of their columns, or whole for programs, under a name."""
    if as_json:
        print_json({name: list(rows), "count": len(rows)})
    elif not rows:
        print(nothing)
    else:
        headings = [column.replace("_", " ").capitalize() for column in columns]
        table.show(headings, [[_cell(row.get(column)) for column in columns] for row in rows])


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    return "" if value is None else str(value)


def write_text(text: str, output: Path | None) -> None:
    """Print a text, or write it to a file."""
    if output is None:
        whole = text if text.endswith("\n") else text + "\n"
        if _is_printable(whole):
            print(whole, end="")
        else:
            # The formats are in UTF-8, whatever the terminal has: what is printed is what a file would have.
            sys.stdout.flush()
            sys.stdout.buffer.write(whole.encode())
        return
    try:
        output.write_text(text if text.endswith("\n") else text + "\n", encoding="utf-8")
    except OSError as error:
        raise Failure(f"{output} cannot be written: {error.strerror}") from None


def _is_printable(text: str) -> bool:
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def told(program: str, message: str, hint: str | None, exit_code: int, *, as_json: bool) -> int:
    """Say on standard error what went wrong, and as JSON if that was asked for; gives the exit code."""
    if as_json:
        print_json({"error": {"message": message, "hint": hint, "exit_code": exit_code}})
    print(f"{program}: error: {message}", file=sys.stderr)
    if hint is not None:
        print(f"  help: {hint}", file=sys.stderr)
    return exit_code
