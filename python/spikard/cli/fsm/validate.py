"""Whether files are machines."""

import shutil
import sys
from typing import TYPE_CHECKING

from spikard.cli.fsm import options
from spikard.cli.fsm.outcome import EXIT_DONE, EXIT_FAILURE, EXIT_FINDINGS, print_json

if TYPE_CHECKING:
    from spikard.fsm.findings import Inspection

FORMATS = ("text", "json", "github", "sarif")
SEVERITIES = ("error", "warning", "info")


def run(arguments: list[str]) -> int:
    """Print what is wrong: 0 if nothing is, 1 if a file is no machine, 3 for findings as grave as `--fail-on`."""
    return inspect("validate", "Look for faults of machines in files.", arguments, lint=False)


def inspect(name: str, description: str, arguments: list[str], *, lint: bool) -> int:
    """What `validate` and `lint` do."""
    from spikard.fsm.findings import Severity, inspect_file, inspect_text

    parser = options.command_parser(name, description)
    options.add_files(parser)
    parser.add_argument("--format", choices=FORMATS, default="text", help="how findings are printed (text)")
    parser.add_argument(
        "--fail-on", choices=SEVERITIES, default="error", help="end with 3 for findings as grave as this (error)"
    )
    given = parser.parse_args(arguments)
    variables = options.variables(given.var)
    inspections = [
        inspect_text(sys.stdin.read(), lint=lint, variables=variables)
        if str(path) == options.STDIN
        else inspect_file(path, lint=lint, variables=variables)
        for path in options.machine_files(given.files)
    ]
    report(inspections, "json" if given.json else given.format)
    if not all(one.is_valid for one in inspections):
        return EXIT_FAILURE
    least = Severity(given.fail_on).rank
    grave = any(finding.severity.rank >= least for one in inspections for finding in one.findings)
    return EXIT_FINDINGS if grave else EXIT_DONE


def report(inspections: "list[Inspection]", form: str) -> None:
    """Print findings in a format."""
    from spikard.fsm.findings import to_github, to_json, to_sarif, to_text

    if form == "json":
        print_json(to_json(inspections))
    elif form == "sarif":
        print_json(to_sarif(inspections))
    elif form == "github":
        print(to_github(inspections), end="")
    else:
        # A program that reads the report gets lines of the same length everywhere.
        columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        text = to_text(inspections, columns=columns)
        if text:
            paint(text)
        print(summary(inspections))


def paint(text: str) -> None:
    """Print a report; in colours on a terminal, where there are any."""
    from spikard.cli.colours import print_report

    print_report(text)


def summary(inspections: "list[Inspection]") -> str:
    """The last line: how many findings there are, and of what kind."""
    counts = dict.fromkeys(SEVERITIES, 0)
    for one in inspections:
        for finding in one.findings:
            counts[finding.severity.value] += 1
    files = _plural(len(inspections), "file")
    parts = [_plural(count, name) for name, count in counts.items() if count]
    return f"{', '.join(parts)} in {files}" if parts else f"{files}: nothing found"


def _plural(count: int, word: str) -> str:
    plain = "info" if word == "info" else f"{word}s"
    return f"{count} {word if count == 1 else plain}"
