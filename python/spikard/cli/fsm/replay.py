"""Recorded events, computed again."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikard.cli.fsm import machine_file, options
from spikard.cli.fsm.database import add_database, opened
from spikard.cli.fsm.outcome import EXIT_DONE, EXIT_FINDINGS, EXIT_USAGE, Failure, print_json

if TYPE_CHECKING:
    from spikard.fsm.state_machine import StateMachine
    from spikard.fsm.testing import Replay

_BATCH = 500


def run(arguments: list[str]) -> int:
    """Replay: 3 where something else comes of an event than was recorded."""
    parser = options.command_parser(
        "replay",
        "Compute recorded events again with a machine, and say where something else comes of them: events of LOGs, "
        "as recorders write them, or those that the database has kept of entities of the machine.",
    )
    parser.add_argument(
        "logs",
        metavar="LOG",
        nargs="*",
        type=Path,
        help="JSON or JSON lines, or - for standard input (entities of a database)",
    )
    parser.add_argument("--against", metavar="FILE", type=Path, required=True, help="the machine to compute with")
    parser.add_argument("--baseline", metavar="FILE", type=Path, help="the machine of the logs, where they say less")
    parser.add_argument("--entity", metavar="ID", action="append", default=[], help="only this one of the database")
    parser.add_argument("--context", metavar="JSON", help="the context that entities begin with, where nothing says")
    options.add_variables(parser)
    add_database(parser)
    given = parser.parse_args(arguments)
    if given.logs and (given.entity or given.database):
        raise Failure("LOGs and entities of a database are two different things; give one of them", EXIT_USAGE)
    variables = options.variables(given.var)
    machine = machine_file.build(given.against, variables)
    baseline = None if given.baseline is None else machine_file.build(given.baseline, variables)
    context = _context(given.context)
    if given.logs:
        found = list(_of_logs(given.logs, machine, baseline, context))
    else:
        found = list(_of_entities(machine, given.entity, given.database, context))
    if given.json:
        print_json({"against": str(given.against), "replays": [_plain(*one) for one in found]})
    else:
        tell(found)
    return EXIT_DONE if all(replay.is_same for _, replay in found) else EXIT_FINDINGS


def _of_logs(
    logs: list[Path], machine: "StateMachine", baseline: "StateMachine | None", context: dict[str, Any] | None
) -> "Iterator[tuple[str, Replay]]":
    from spikard.fsm.testing import replay

    for path in logs:
        yield str(path), replay(machine, _read(path), baseline=baseline, context=context)


def _of_entities(
    machine: "StateMachine", names: list[str], url: str | None, context: dict[str, Any] | None
) -> "Iterator[tuple[str, Replay]]":
    from spikard.fsm.testing import replay_entity

    with opened(url) as store:
        if names:
            for name in names:
                if store.get_state(name) is None:
                    raise Failure(f"there is no entity {name}")
                yield name, replay_entity(machine, store, name, context=context)
            return
        last = ""
        while page := store.entity_versions(machine.name, after=last, limit=_BATCH):
            for name, _ in page:
                yield name, replay_entity(machine, store, name, context=context)
            last = page[-1][0]


def _read(path: Path) -> Any:
    try:
        text = sys.stdin.read() if str(path) == options.STDIN else path.read_text(encoding="utf-8")
    except OSError as error:
        raise Failure(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise Failure(f"{path} is no text in UTF-8: {error.reason} at byte {error.start}") from None
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return [_line(path, number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    events = value.get("events") if isinstance(value, dict) and "trigger" not in value else value
    if isinstance(events, dict):
        events = value = [events]
    if not isinstance(events, list) or not all(isinstance(one, dict) and "trigger" in one for one in events):
        raise Failure(f"{path} is no recording: it needs 'events', each with a 'trigger'")
    return value


def _line(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except json.JSONDecodeError as error:
        caret = f"{line}\n{' ' * (error.colno - 1)}^"
        raise Failure(f"{path}:{number}:{error.colno}: {error.msg}\n{caret}") from None
    if not isinstance(event, dict) or "trigger" not in event:
        raise Failure(f"{path}:{number}: an event needs a 'trigger'")
    return event


def _context(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise Failure(f"--context is no JSON: {error.msg} at {error.colno}", EXIT_USAGE) from None
    if not isinstance(value, dict):
        raise Failure("--context must be a JSON object", EXIT_USAGE)
    return value


def _plain(name: str, replay: "Replay") -> dict[str, Any]:
    divergence = replay.divergence
    told = None
    if divergence is not None:
        told = {
            "event": divergence.index + 1,
            "trigger": divergence.context.get("trigger"),
            "message": divergence.message,
            "expected": divergence.expected,
            "actual": divergence.actual,
        }
    return {"name": name, "is_same": replay.is_same, "events": replay.events, "state": replay.state, "divergence": told}


def tell(found: "list[tuple[str, Replay]]") -> None:
    """Print where replays differ, and how many don't."""
    for name, replay in found:
        if replay.divergence is not None:
            print(f"differs  {name}: {replay.divergence.message}")
    same = sum(replay.is_same and replay.events > 0 for _, replay in found)
    empty = sum(replay.is_same and replay.events == 0 for _, replay in found)
    differing = len(found) - same - empty
    counts = [(same, "as recorded"), (differing, "different"), (empty, "without recorded events")]
    print(", ".join(f"{count} {what}" for count, what in counts if count) or "nothing was recorded")
