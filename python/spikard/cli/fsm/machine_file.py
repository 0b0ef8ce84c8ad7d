"""Machines from files, for commands that work with them."""

import sys
from pathlib import Path
from typing import Any

from spikard.cli.fsm.outcome import EXIT_FAILURE, Failure
from spikard.fsm.config_text import as_mapping, read_text
from spikard.fsm.findings import inspect_file, inspect_text, to_text
from spikard.fsm.state_machine import StateMachine
from spikard.fsm.submachine import resolve_submachines


def load(path: Path, variables: dict[str, str] | None = None) -> dict[str, Any]:
    """The machine in a file, its submachines put in. What is wrong with it is printed, place by place."""
    if path.suffix.lower() == ".scxml":
        return StateMachine.from_file(path).to_dict()
    if str(path) == "-":
        text = sys.stdin.read()
        inspection = inspect_text(text, variables=variables)
    else:
        inspection = inspect_file(path, variables=variables)
        text = inspection.text
    if not inspection.is_valid:
        print(to_text([inspection]), file=sys.stderr)
        raise Failure(f"{path} is no valid machine", EXIT_FAILURE)
    form = "json" if path.suffix.lower() == ".json" else "yaml"
    config = as_mapping(read_text(text, form, path=str(path), variables=variables).value(), str(path))
    return resolve_submachines(config, path.parent)


def build(path: Path, variables: dict[str, str] | None = None) -> StateMachine:
    """The machine in a file, ready to run."""
    return StateMachine.from_dict(load(path, variables))
