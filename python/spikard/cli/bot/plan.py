"""List handlers in the order in which they are asked."""

import msgspec

from spikard.cli.bot import options
from spikard.cli.outcome import EXIT_DONE, print_rows


def run(arguments: list[str]) -> int:
    """Print a row for each handler."""
    parser = options.command_parser("plan", "List handlers: what they ask for, and by what they are found.")
    options.add_dispatcher(parser)
    options.add_json(parser)
    given = parser.parse_args(arguments)
    listed = options.dispatcher(given).plan()
    rows = [
        row
        if given.json
        else {
            **row,
            "handler": row["handler"].partition(" (")[0],
            "filters": ", ".join(row["filters"]),
            "indexed_by": row["indexed_by"] or "-",
        }
        for row in (msgspec.to_builtins(one) for one in listed)
    ]
    columns = ("number", "observer", "router", "handler", "filters", "indexed_by")
    print_rows(rows, columns, as_json=given.json, name="handlers", nothing="no handlers")
    return EXIT_DONE
