"""The open sample machines, with the answers that a correct engine gives."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from spikard.fsm import FSMError, ParallelStateConfig, StateMachine

KINDS = {
    "terminal_state": "TerminalStateError",
    "undefined_trigger": "UndefinedTriggerError",
    "invalid_transition": "InvalidTransitionError",
    "guards_failed": "GuardRejectedError",
}


@dataclass(frozen=True)
class OpenMachine:
    """One sample: its definition, and records of what it answers."""

    name: str
    config: dict[str, Any]
    entry: Mapping[str, Any]
    records: tuple[Mapping[str, Any], ...]

    def build(self, guards: Mapping[str, bool]) -> StateMachine:
        """A fresh machine whose named guards answer as the record says."""
        machine = StateMachine.from_dict(self.config)
        for name, answer in guards.items():
            machine.guard_registry.register(name, lambda _context, answer=answer: answer)
        return machine


def open_machines() -> Iterator[OpenMachine]:
    """All samples in the folder that `SPIKARD_FIXTURES` names; none where it names none."""
    root = os.environ.get("SPIKARD_FIXTURES")
    folder = Path(root) / "fsm" if root else None
    if folder is None or not folder.is_dir():
        return
    for entry in json.loads((folder / "index.json").read_text(encoding="utf-8")):
        # YAML holds JSON as well.
        config = yaml.safe_load((folder / "machines" / entry["file"]).read_text(encoding="utf-8"))
        trace = folder / "traces" / f"{entry['machine']}.jsonl"
        lines = trace.read_text(encoding="utf-8").splitlines() if trace.exists() else []
        yield OpenMachine(entry["machine"], config, entry, tuple(json.loads(line) for line in lines))


def disagreements(machine: OpenMachine, record: Mapping[str, Any]) -> list[str]:
    """Where the engine's answers to a record are others than the expected ones."""
    engine = machine.build(record.get("guards") or {})
    check = {"process": _process, "session": _session, "parallel": _parallel}[record["op"]]
    return [f"{machine.name}: {record} -> {found}" for found in check(engine, record)]


def _process(engine: StateMachine, record: Mapping[str, Any]) -> list[Any]:
    expect = record["expect"]
    try:
        result = engine.process(record["state"], record["event"], record["context"])
    except FSMError as error:
        return [] if expect == {"raises": type(error).__name__} else [repr(error)]
    found = {
        "success": result.success,
        "source": result.source_state,
        "target": result.target_state,
        "exit": [action.name for action in result.on_exit_actions],
        "actions": [action.name for action in result.actions_to_execute],
        "enter": [action.name for action in result.on_enter_actions],
        "error": _kind(result.error),
    }
    if result.metadata.get("no_op"):
        found["no_op"] = True
    return [] if found == expect | {"error": _kind_name(expect.get("error"))} else [found]


def _session(engine: StateMachine, record: Mapping[str, Any]) -> list[Any]:
    session = engine.create(context=record["context"])
    wrong = []
    for step in record["steps"]:
        expect = step.get("expect") or step
        try:
            result = session.send(step["event"], **(step.get("payload") or {}))
        except FSMError as error:
            if expect.get("raises") != type(error).__name__:
                wrong.append(repr(error))
            continue
        found = (result.success, session.current_state, _kind(result.error))
        wanted = (expect["success"], expect["state"], _kind_name(expect.get("error")))
        if found != wanted:
            wrong.append((found, wanted))
    return wrong


def _parallel(engine: StateMachine, record: Mapping[str, Any]) -> list[Any]:
    config: ParallelStateConfig = engine.enter_parallel_state(record["state"])
    wrong: list[Any] = [] if config.to_string() == record["initial"] else [config]
    for step in record["steps"]:
        expect = step.get("expect") or step
        config, results = engine.process_parallel(config, step["event"], step.get("context") or {})
        moves = [
            [result.metadata["region"], result.source_state, result.target_state, list(result.all_actions)]
            for result in results
            if "region" in result.metadata
        ]
        joins = any("_join_trigger" in result.metadata for result in results)
        found = (config.to_string(), moves, joins)
        if found != (expect["config"], expect["results"], bool(expect.get("join"))):
            wrong.append((found, expect))
    return wrong


def _kind(error: Exception | None) -> str | None:
    return None if error is None else type(error).__name__


def _kind_name(kind: str | None) -> str | None:
    return None if kind is None else KINDS.get(kind, kind)
