"""Look for faults of handlers without running them."""

import msgspec

from spikard.cli.bot import options
from spikard.cli.outcome import EXIT_DONE, EXIT_FAILURE, print_json


def run(arguments: list[str]) -> int:
    """Print a line for each finding: 0 if none keeps the bot from starting, else 1."""
    parser = options.command_parser(
        "check",
        "Look for arguments that nobody gives, data of buttons that clashes, and handlers that are never reached.",
    )
    options.add_dispatcher(parser)
    options.add_json(parser)
    given = parser.parse_args(arguments)
    findings = options.dispatcher(given).check()
    faults = [finding for finding in findings if finding.is_fault]
    if given.json:
        rows = [{**msgspec.to_builtins(finding), "is_fault": finding.is_fault} for finding in findings]
        print_json({"findings": rows, "count": len(rows)})
    else:
        for finding in findings:
            print(f"{'fault' if finding.is_fault else 'note'}: {finding}")
        if not findings:
            print("no findings")
    return EXIT_FAILURE if faults else EXIT_DONE
