"""Scenarios, run against their machines."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikard.cli.fsm import machine_file, options
from spikard.cli.fsm.outcome import EXIT_DONE, EXIT_FAILURE, EXIT_USAGE, Failure, print_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spikard.fsm.testing import ScenarioOutcome, ScenarioReport

MARK = ".scenarios"


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of the scenarios of one file."""

    scenarios: Path
    report: "ScenarioReport"


def run(arguments: list[str]) -> int:
    """Run them: 0 if all is as expected, else 1."""
    parser = options.command_parser(
        "test",
        "Run the scenarios of machines: those of order.yaml are in order.scenarios.yaml beside it. "
        "A directory stands for all machines inside that have some.",
    )
    options.add_files(parser)
    parser.add_argument("--scenarios", metavar="FILE", type=Path, help="which file (the one beside the machine)")
    parser.add_argument("-k", metavar="TEXT", dest="only", help="only scenarios whose name has this text")
    parser.add_argument("--min-coverage", metavar="SHARE", type=float, help="end with 1 if fewer transitions are seen")
    parser.add_argument("-v", "--verbose", action="store_true", help="name those that pass, and what nobody has seen")
    given = parser.parse_args(arguments)
    if given.min_coverage is not None and not 0 <= given.min_coverage <= 1:
        raise Failure(f"--min-coverage {given.min_coverage:g}: it is a share, from 0 to 1", EXIT_USAGE)
    ran = [one(machine, scenarios, given) for machine, scenarios in pairs(given.files, given.scenarios)]
    if not ran:
        raise Failure("there are no scenarios", hint="write some into order.scenarios.yaml beside order.yaml")
    if given.json:
        print_json({"files": [{"file": str(each.scenarios), **each.report.to_dict()} for each in ran]})
    else:
        tell(ran, verbose=given.verbose)
    least = given.min_coverage or 0
    bare = [each for each in ran if each.report.coverage.transitions.ratio < least]
    for each in bare:
        seen = each.report.coverage.transitions
        said = f"{seen.ratio:.0%} of the transitions are seen, {least:.0%} are asked for; -v names the others"
        print(f"{each.scenarios}: {said}", file=sys.stderr)
    return EXIT_DONE if not bare and all(each.report.passed for each in ran) else EXIT_FAILURE


def pairs(files: list[str], scenarios: Path | None) -> "Iterator[tuple[Path, Path]]":
    """Machines and their scenarios. A file of scenarios stands for its machine."""
    for path in options.machine_files(files):
        if MARK in path.name:
            machine = beside(path, path.name.replace(MARK, "", 1))
            if machine is None:
                raise Failure(f"there is no machine beside {path}")
            yield machine, path
            continue
        found = scenarios or beside(path, f"{path.stem}{MARK}{path.suffix}")
        if found is not None:
            yield path, found
        elif str(path) in files:
            if str(path) == options.STDIN:
                raise Failure(
                    "a machine on standard input has no scenarios beside it", EXIT_USAGE, "name them: --scenarios"
                )
            raise Failure(f"{path} has no scenarios: there is no {path.stem}{MARK}.yaml beside it")


def beside(path: Path, name: str) -> Path | None:
    """The file of a name, whatever its end is."""
    stem = path.with_name(name).with_suffix("")
    candidates = [stem.with_name(stem.name + suffix) for suffix in (path.suffix, *options.SUFFIXES)]
    return next((each for each in candidates if each.is_file()), None)


def one(machine: Path, scenarios: Path, given: Any) -> Ran:
    """Run the scenarios of one machine."""
    from spikard.fsm.testing import load_scenarios, run_scenarios

    built = machine_file.build(machine, options.variables(given.var))
    with machine_file.reading(scenarios):
        loaded = load_scenarios(scenarios)
    chosen = [each for each in loaded if given.only is None or given.only in each.name]
    if given.only is not None and not chosen:
        raise Failure(f"-k {given.only}: no scenario of {scenarios} has this in its name", EXIT_USAGE)
    return Ran(scenarios, run_scenarios(built, chosen))


def tell(ran: list[Ran], *, verbose: bool) -> None:
    """Print what failed, and how much there was."""
    outcomes = [(each, outcome) for each in ran for outcome in each.report.outcomes]
    for each, outcome in outcomes:
        if not outcome.passed:
            print("\n".join(failed(each.scenarios, outcome)))
        elif verbose:
            print(f"ok    {each.scenarios}: {outcome.scenario.name}")
    for each in ran:
        if verbose:
            print(f"{each.scenarios}: {each.report.coverage}")
            for missing in each.report.coverage.missing():
                print(f"  not seen: {missing}")
    count = sum(not outcome.passed for _, outcome in outcomes)
    print(f"{len(outcomes) - count} passed, {count} failed" if count else f"{len(outcomes)} passed")


def failed(file: Path, outcome: "ScenarioOutcome") -> "Iterator[str]":
    """What was expected and what came, step by step."""
    yield f"FAIL  {file}: {outcome.scenario.name}"
    wrong: dict[int, list[Any]] = {}
    for failure in outcome.failures:
        wrong.setdefault(failure.number, []).append(failure)
    for number, step in enumerate(outcome.scenario.steps, 1):
        if number > max(wrong):
            yield "      …"
            break
        yield f"    {'x' if number in wrong else ' '} {number}. {step}"
        for failure in wrong.get(number, ()):
            yield f"          {failure.what}"
            if failure.what != "error":
                yield f"          - {failure.expected!r}"
            yield f"          + {failure.actual!r}"
