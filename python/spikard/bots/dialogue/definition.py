"""From what is written to a machine of `spikard.fsm` and the blocks of its states."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from spikard.bots.dialogue.block import Block
from spikard.bots.errors import FSMError
from spikard.fsm.config_text import read_file, read_text
from spikard.fsm.errors import ConfigurationError
from spikard.fsm.state_machine import StateMachine

_OURS = frozenset({"on_unknown_state", "fallthrough"})


class Definition(NamedTuple):
    """A dialogue as it is declared.

    Attributes:
        machine: The machine.
        blocks: What its states say and take, by name; of states without a block an empty one.
        options: What else stands beside the states.
    """

    machine: StateMachine
    blocks: Mapping[str, Block]
    options: Mapping[str, Any]


def read_source(source: str | Path | Mapping[str, Any]) -> dict[str, Any]:
    """A mapping, a file (YAML or JSON), or the text of a YAML file.

    Raises:
        FSMError: It cannot be read.
    """
    if isinstance(source, Mapping):
        return dict(source)
    try:
        if isinstance(source, str) and "\n" in source:
            found = read_text(source, "yaml").value()
        else:
            found = read_file(Path(source), {}).value()
    except (ConfigurationError, OSError) as fault:
        raise FSMError(f"the dialogue cannot be read: {fault}") from fault
    if not isinstance(found, dict):
        raise FSMError(f"a dialogue is a mapping with states and transitions, not {type(found).__name__}")
    return found


def read_definition(config: Mapping[str, Any]) -> Definition:
    """A machine and its blocks. States are a list, as `spikard.fsm` has them, or a mapping by name.

    Raises:
        FSMError: Something does not fit; all faults are listed.
    """
    options = {key: config[key] for key in _OURS & config.keys()}
    whole = in_full({key: value for key, value in config.items() if key not in _OURS})
    try:
        faults = StateMachine.validate_config(whole)
        machine = StateMachine.from_dict(whole)
    except ConfigurationError as fault:
        raise FSMError(f"the dialogue is no machine: {fault}") from fault
    blocks: dict[str, Block] = {}
    for name, state in machine.states.items():
        try:
            blocks[name] = msgspec.convert(state.metadata.get("bot") or {}, Block)
        except msgspec.ValidationError as fault:
            faults.append(f"state {name!r}: bot: {fault}")
            continue
        faults += _faults(machine, name, blocks[name])
    if machine.name in {"", "unnamed"} or any(mark in machine.name for mark in ":|"):
        faults.append("the dialogue needs a name, without ':' and '|'")
    if faults:
        raise FSMError("the dialogue does not fit together:\n" + "\n".join(f"  {fault}" for fault in faults))
    return Definition(machine, blocks, options)


def _faults(machine: StateMachine, name: str, block: Block) -> Iterable[str]:
    triggers = machine.get_available_triggers(name)
    for choice in block.choices():
        if choice.trigger is not None and choice.trigger not in triggers:
            yield f"state {name!r}: the button {choice.text!r} has the trigger {choice.trigger!r}, which leads nowhere"
    if block.takes is not None and block.trigger not in triggers:
        yield f"state {name!r}: answers are the trigger {block.trigger!r}, for which there is no transition"


def check_names(definition: Definition, validators: Callable[[str], Any], actions: Callable[[str], Any]) -> None:
    """Raises FSMError, all faults listed, where a validator or an action is named that there is not."""
    machine, faults = definition.machine, []
    for name, block in definition.blocks.items():
        if block.validate is not None and validators(block.validate) is None:
            faults.append(f"state {name!r}: no validator is called {block.validate!r}")
    known = machine.action_registry
    lacking = (name for name in sorted(action_names(machine)) if actions(name) is None and not known.has(name))
    faults += [f"no action is called {name!r}" for name in lacking]
    if faults:
        raise FSMError(f"{machine.name}: " + "; ".join(faults))


def action_names(machine: StateMachine) -> set[str]:
    """The names of all actions that a machine asks for."""
    lists = [transition.actions for transition in machine.transitions]
    for state in machine.states.values():
        lists += [state.on_enter, state.on_exit]
    return {action.name for actions in lists for action in actions if not action.custom}


def in_full(config: dict[str, Any]) -> dict[str, Any]:
    """The long form of the short one: `name`, `initial`, and states by name."""
    config = dict(config)
    name, initial, states = config.pop("name", None), config.pop("initial", None), config.get("states")
    if name is not None:
        config["meta"] = {**(config.get("meta") or {}), "machine_name": name}
    if not isinstance(states, Mapping):
        return config
    listed = []
    for key, state in states.items():
        if state is not None and not isinstance(state, Mapping):
            raise FSMError(f"state {key!r} is a mapping, not {type(state).__name__}")
        kind = {"type": "initial"} if key == initial else {}
        listed.append({"name": key, **kind, **(state or {})})
    if initial is not None and initial not in states:
        raise FSMError(f"initial is {initial!r}, and there is no such state")
    return {**config, "states": listed}


__all__ = ["Definition", "action_names", "check_names", "in_full", "read_definition", "read_source"]
