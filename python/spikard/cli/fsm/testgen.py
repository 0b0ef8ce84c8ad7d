"""Scenarios that cover a machine, found by search."""

from pathlib import Path

from spikard.cli.fsm import machine_file, options
from spikard.cli.fsm.outcome import EXIT_DONE, EXIT_USAGE, Failure, print_json, write_text

FORMATS = ("yaml", "json", "pytest")
BY_SUFFIX = {".json": "json", ".py": "pytest"}


def run(arguments: list[str]) -> int:
    """Print them, or write them to a file."""
    parser = options.command_parser("testgen", "Find scenarios that cover a machine, for `spikard fsm test` or pytest.")
    options.add_file(parser)
    options.add_variables(parser)
    parser.add_argument(
        "--strategy",
        action="append",
        metavar="NAME",
        help="states, transitions, pairs, boundary or random; may be given more than once (transitions)",
    )
    parser.add_argument("--format", choices=FORMATS, help="as what (by the end of the output's name, else yaml)")
    parser.add_argument("--seed", type=int, default=0, help="of --strategy random (0)")
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, help="write it to a file")
    given = parser.parse_args(arguments)
    from spikard.fsm.testing import STRATEGIES, testgen
    from spikard.openapi import to_yaml

    strategies = given.strategy or ["transitions"]
    for name in strategies:
        if name not in STRATEGIES:
            raise Failure(f"--strategy {name}: there are {', '.join(STRATEGIES)}", EXIT_USAGE)
    suite = testgen(machine_file.build(given.file, options.variables(given.var)), strategies, seed=given.seed)
    if given.json:
        print_json(suite.to_dict())
        return EXIT_DONE
    form = given.format or (given.output and BY_SUFFIX.get(given.output.suffix)) or "yaml"
    if form == "pytest":
        text = suite.to_pytest(str(given.file))
    else:
        text = suite.to_json() if form == "json" else to_yaml({"scenarios": suite.to_dict()["scenarios"]})
    write_text(text, given.output)
    if given.output is not None:
        print(f"{len(suite)} scenarios: {suite.coverage}")
    return EXIT_DONE
