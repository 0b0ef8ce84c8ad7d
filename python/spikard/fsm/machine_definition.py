"""Machines as they are written, named and numbered: what is stored, and what machines are built from."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikard.fsm.config_text import as_mapping, read_file
from spikard.fsm.config_validator import ConfigValidator
from spikard.fsm.definition import is_on
from spikard.fsm.errors import ConfigurationError
from spikard.fsm.names import validate_name
from spikard.fsm.submachine import resolve_submachines

if TYPE_CHECKING:
    from spikard.fsm.action_registry import ActionRegistry
    from spikard.fsm.guard_registry import GuardRegistry
    from spikard.fsm.state_machine import StateMachine


@dataclass(frozen=True, slots=True)
class MachineDefinition:
    """A configuration with its name and version."""

    name: str
    version: str
    config: dict[str, Any]
    states: list[dict[str, Any]] = field(default_factory=list)
    transitions: list[dict[str, Any]] = field(default_factory=list)
    description: str | None = None
    strict_mode: bool = True

    def to_dict(self) -> dict[str, Any]:
        """The configuration."""
        return self.config

    def to_state_machine(self) -> "StateMachine":
        """A machine of this definition, with registries of its own."""
        from spikard.fsm.state_machine import StateMachine

        return StateMachine.from_dict(self.config)


class MachineNotFoundError(Exception):
    """A store has no machine of the name, or not in the version."""

    def __init__(self, name: str, version: str | None = None) -> None:
        which = f"Machine '{name}'" if version is None else f"Machine '{name}' version '{version}'"
        super().__init__(f"{which} not found in store")
        self.name = name
        self.version = version

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.name, self.version)


def parse_machine(config: dict[str, Any], *, validate: bool = True) -> MachineDefinition:
    """Reads a configuration as the definition of a machine, which needs a name; without a version it is 1.0.0."""
    if validate:
        errors = ConfigValidator().validate(config)
        if errors:
            raise ConfigurationError(
                f"Machine config validation failed with {len(errors)} error(s)", context={"errors": errors}
            )
    meta = config.get("meta") or {}
    name = meta.get("machine_name") or meta.get("name")
    if not name:
        raise ValueError("Machine config must have meta.machine_name (or meta.name)")
    return MachineDefinition(
        name="/".join(validate_name(part, "machine_name") for part in str(name).split("/")),
        version=str(meta.get("version") or "1.0.0"),
        config=config,
        states=list(config.get("states") or ()),
        transitions=list(config.get("transitions") or ()),
        description=meta.get("description"),
        strict_mode=is_on(meta.get("strict_mode"), True),
    )


def parse_machine_file(
    path: str | Path, *, validate: bool = True, variables: dict[str, str] | None = None
) -> MachineDefinition:
    """Reads a file as the definition of a machine, submachines put in."""
    place = Path(path)
    if not place.is_file():
        raise FileNotFoundError(f"Machine config file not found: {path}")
    config = as_mapping(read_file(place, variables).value(), str(path), "Machine config")
    return parse_machine(resolve_submachines(config, place.parent), validate=validate)


def build_machine(
    definition: MachineDefinition,
    *,
    guards: "GuardRegistry | None" = None,
    actions: "ActionRegistry | None" = None,
) -> "StateMachine":
    """Builds a machine, with the registries given."""
    machine = definition.to_state_machine()
    if guards is not None:
        machine.bind_guards(guards)
    if actions is not None:
        machine.bind_actions(actions)
    return machine
