"""A machine tried out: events by hand, from a file or from a pipe, in simulated time."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikard.cli.fsm import machine_file, options
from spikard.cli.fsm.outcome import EXIT_DONE, EXIT_FAILURE, EXIT_USAGE, Failure, print_json
from spikard.cli.fsm.trial import Trial, values_of

if TYPE_CHECKING:
    from argparse import Namespace

COMMENT = "#"


def run(arguments: list[str]) -> int:
    """Send events: 0, or 1 where the end is not `--expect`, or a line is not understood."""
    parser = options.command_parser(
        "run",
        "Try a machine out. Lines are events (`fill qty=3`) or commands (`help` lists them), from the terminal, from "
        "standard input or from --events. Time is simulated, actions are only planned.",
    )
    options.add_file(parser)
    options.add_variables(parser)
    parser.add_argument("--events", metavar="FILE", type=Path, help="lines to be read in place of standard input")
    parser.add_argument("--expect", metavar="STATE", help="end with 1 if the entity is not in this state at the end")
    parser.add_argument("--strict", action="store_true", help="end with 1 if an event is refused")
    parser.add_argument("--state", help="where the entity begins (the initial state)")
    parser.add_argument("--context", metavar="KEY=VALUE", action="append", default=[], help="what is known of it")
    given = parser.parse_args(arguments)
    trial = made(given)
    is_talk = given.events is None and sys.stdin.isatty() and not given.json
    if is_talk:
        from spikard.cli.fsm.conversation import converse

        converse(trial)
        is_understood = True
    else:
        is_understood = batch(trial, lines(given.events), quiet=given.json)
    return ended(trial, given, is_understood=is_understood)


def made(given: "Namespace") -> Trial:
    """The trial that is asked for."""
    machine = machine_file.build(given.file, options.variables(given.var))
    if given.state is not None and not machine.validate_state(given.state):
        raise Failure(f"--state {given.state}: the machine has no such state", EXIT_USAGE)
    if given.expect is not None and not machine.validate_state(given.expect.partition(":")[0]):
        raise Failure(f"--expect {given.expect}: the machine has no such state", EXIT_USAGE)
    try:
        context = values_of(given.context)
    except ValueError as error:
        raise Failure(f"--context: {error}", EXIT_USAGE) from None
    return Trial(machine, context, given.state)


def lines(path: Path | None) -> Iterator[str]:
    """The lines to be read."""
    if path is None:
        yield from sys.stdin
        return
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    yield from text.splitlines()


def batch(trial: Trial, given: Iterator[str], *, quiet: bool) -> bool:
    """Read all lines; whether all were understood."""
    is_understood = True
    for number, line in enumerate(given, 1):
        text = line.strip()
        if not text or text.startswith(COMMENT):
            continue
        try:
            told = trial.read(text)
        except ValueError as error:
            is_understood = False
            print(f"line {number}: {error}", file=sys.stderr)
            continue
        if trial.is_over:
            break
        if not quiet:
            print("\n".join(told))
    return is_understood


def ended(trial: Trial, given: "Namespace", *, is_understood: bool) -> int:
    """Say where the entity is; the exit code."""
    session = trial.session
    is_there = given.expect is None or given.expect in (session.place, session.current_state)
    refused = sum(not step["success"] for step in trial.steps)
    if given.json:
        found: dict[str, Any] = {"state": session.place, "context": trial.known, "status": session.workflow_status}
        print_json({"steps": trial.steps, **found, "expected": given.expect, "ok": is_there and is_understood})
    elif not is_there:
        print(f"the entity is in {session.place}, not in {given.expect}", file=sys.stderr)
    if not is_there or not is_understood or (given.strict and refused):
        return EXIT_FAILURE
    return EXIT_DONE
