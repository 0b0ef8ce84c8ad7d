"""Versions of a machine compared."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from spikard._spikard import compare_configs

if TYPE_CHECKING:
    from spikard.fsm.machine_definition import MachineDefinition
    from spikard.fsm.state_machine import StateMachine

    Comparable: TypeAlias = StateMachine | MachineDefinition | Mapping[str, Any]

_LEVELS = ("patch", "minor", "major")


@dataclass(frozen=True, slots=True)
class MachineChange:
    """One difference: its kind, how much it asks of those who use the machine, and the state it is about."""

    kind: str
    level: str
    message: str
    state: str


@dataclass(frozen=True, slots=True)
class CompatibilityReport:
    """What differs, and which entities can't go on in the newer version.

    `level` is `patch` if only texts differ, `minor` if something is new, else `major`.
    """

    compatible: bool
    level: str
    changes: list[MachineChange] = field(default_factory=list)
    issues: list[dict[str, str]] = field(default_factory=list)


def compare_machines(
    old: "Comparable", new: "Comparable", entities: Mapping[str, str] | Iterable[Mapping[str, Any]] | None = None
) -> CompatibilityReport:
    """Compares two versions. `entities` are those alive: states by id, or mappings as stores give them.

    With entities, the versions are compatible if each of them rests in a state that is still there; without, if nothing
    that was there is different.
    """
    changes = [MachineChange(*change) for change in compare_configs(_config(old), _config(new))]
    level = max((change.level for change in changes), key=_LEVELS.index, default="patch")
    if entities is None:
        return CompatibilityReport(level != "major", level, changes)
    states = {state["name"] for state in _config(new).get("states", ())}
    issues = [
        {"entity_id": entity_id, "current_state": state, "issue": f"State '{name}' does not exist in the new version"}
        for entity_id, state in _alive(entities)
        for name in _leaves(state)
        if name not in states
    ]
    return CompatibilityReport(not issues, level, changes, issues)


def _config(machine: "Comparable") -> dict[str, Any]:
    return dict(machine) if isinstance(machine, Mapping) else machine.to_dict()


def _alive(entities: Mapping[str, str] | Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    if isinstance(entities, Mapping):
        return list(entities.items())
    return [(str(entity["entity_id"]), str(entity["current_state"])) for entity in entities]


def _leaves(state: str) -> list[str]:
    """The states that a stored text names: of a parallel state, itself and one of each region."""
    name, _, regions = state.partition(":")
    return [name, *(region.partition("=")[2] for region in regions.split(",") if region)]
