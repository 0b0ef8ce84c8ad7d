"""How commands of state machines end: the codes that are their own, and what all commands share."""

from spikard.cli.outcome import (
    EXIT_DONE,
    EXIT_FAILURE,
    EXIT_USAGE,
    Failure,
    print_json,
    print_rows,
    told,
    write_text,
)

EXIT_FINDINGS = 3
EXIT_UNREACHABLE = 4

__all__ = [
    "EXIT_DONE",
    "EXIT_FAILURE",
    "EXIT_FINDINGS",
    "EXIT_UNREACHABLE",
    "EXIT_USAGE",
    "Failure",
    "print_json",
    "print_rows",
    "told",
    "write_text",
]
