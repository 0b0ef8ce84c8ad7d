"""Two versions of a machine compared."""

from typing import TYPE_CHECKING

from spikard.cli.fsm import machine_file, options
from spikard.cli.fsm.outcome import EXIT_DONE, EXIT_FINDINGS, EXIT_USAGE, Failure, print_json

if TYPE_CHECKING:
    from spikard.fsm.compatibility import CompatibilityReport

LEVELS = ("patch", "minor", "major")


def run(arguments: list[str]) -> int:
    """Print what differs: 3 where it asks as much of users as `--fail-on`."""
    parser = options.command_parser(
        "diff",
        "Compare two versions of a machine: patch where only texts differ, minor where something is new, else major.",
    )
    options.add_file(parser, "old", "OLD")
    options.add_file(parser, "new", "NEW")
    options.add_variables(parser)
    parser.add_argument("--fail-on", choices=LEVELS, help="end with 3 for differences of this level (never)")
    given = parser.parse_args(arguments)
    if str(given.old) == str(given.new) == options.STDIN:
        raise Failure("standard input is one machine; name a file for the other", EXIT_USAGE)
    from spikard.fsm.compatibility import compare_machines

    variables = options.variables(given.var)
    report = compare_machines(machine_file.load(given.old, variables), machine_file.load(given.new, variables))
    if given.json:
        print_json(report)
    else:
        tell(report)
    is_grave = (
        given.fail_on is not None and report.changes and LEVELS.index(report.level) >= LEVELS.index(given.fail_on)
    )
    return EXIT_FINDINGS if is_grave else EXIT_DONE


def tell(report: "CompatibilityReport") -> None:
    """Print differences, those that ask most first."""
    for change in sorted(report.changes, key=lambda one: -LEVELS.index(one.level)):
        print(f"{change.level:<5}  {change.message}")
    if not report.changes:
        print("no differences")
        return
    print(
        f"{report.level}: {'entities can go on' if report.compatible else 'entities may be where nothing is any more'}"
    )
