"""Machines from files, for commands that work with them."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from spikard.cli.fsm.outcome import EXIT_FAILURE, Failure
from spikard.fsm.config_text import as_mapping, read_text
from spikard.fsm.errors import ConfigurationError
from spikard.fsm.findings import inspect_file, inspect_text, to_text
from spikard.fsm.state_machine import StateMachine
from spikard.fsm.submachine import resolve_submachines

_PLACE = re.compile(r" at line \d+, column \d+$")


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Say of which file, and of which place in it, it is that a text cannot be read."""
    try:
        yield
    except ConfigurationError as error:
        line, column = error.context.get("line"), error.context.get("column")
        message = error.message if line is None else _PLACE.sub("", error.message)
        place = "" if line is None else f":{line}:{column}"
        named = message if not place and str(path) in message else f"{path}{place}: {message}"
        raise Failure(named, EXIT_FAILURE) from None


def load(path: Path, variables: dict[str, str] | None = None) -> dict[str, Any]:
    """The machine in a file, its submachines put in. What is wrong with it is printed, place by place."""
    if path.suffix.lower() == ".scxml":
        with reading(path):
            return StateMachine.from_file(path).to_dict()
    if str(path) == "-":
        text = sys.stdin.read()
        inspection = inspect_text(text, variables=variables)
    else:
        inspection = inspect_file(path, variables=variables)
        text = inspection.text
    form = "json" if path.suffix.lower() == ".json" else "yaml"
    if not inspection.is_valid:
        if (dialogue := _dialogue(text, form, variables)) is not None:
            return dialogue
        print(to_text([inspection]), file=sys.stderr)
        raise Failure(f"{path} is no valid machine", EXIT_FAILURE)
    config = as_mapping(read_text(text, form, path=str(path), variables=variables).value(), str(path))
    return resolve_submachines(config, path.parent)


def _dialogue(text: str, form: str, variables: dict[str, str] | None) -> dict[str, Any] | None:
    """The machine of a bot's dialogue, which has its states by name; None if the text is something else."""
    try:
        config = read_text(text, form, variables=variables).value()
    except ConfigurationError:
        return None
    if not isinstance(config, dict) or not isinstance(config.get("states"), dict):
        return None
    from spikard.bots.dialogue.definition import in_full  # the extra `bots` is not asked for unless it is one

    return in_full(config)


def build(path: Path, variables: dict[str, str] | None = None) -> StateMachine:
    """The machine in a file, ready to run."""
    return StateMachine.from_dict(load(path, variables))
