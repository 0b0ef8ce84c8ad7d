"""States."""

from dataclasses import field
from typing import Any

from spikard.fsm.action_spec import ActionSpec
from spikard.fsm.frozen import frozen
from spikard.fsm.identifier import require_identifier
from spikard.fsm.invoke_spec import InvokeSpec
from spikard.fsm.region import Region
from spikard.fsm.state_type import StateType
from spikard.fsm.timeout import Timeout
from spikard.fsm.when_check import WhenCheck


@frozen
class State:
    """One state of a machine."""

    name: str
    type: StateType = StateType.STABLE
    description: str = ""
    parent: str | None = None
    initial_child: str | None = None
    regions: tuple[Region, ...] = ()
    on_enter: tuple[ActionSpec, ...] = ()
    on_exit: tuple[ActionSpec, ...] = ()
    invoke: tuple[InvokeSpec, ...] = ()
    timeout: Timeout | None = None
    group: str | None = None
    entry_points: tuple[str, ...] = ()
    exit_points: tuple[str, ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)
    when: tuple[WhenCheck, ...] = ()

    def __post_init__(self) -> None:
        require_identifier("State", self.name, self.parent)
        if type(self.type) is not StateType:
            object.__setattr__(self, "type", StateType(self.type))
        if self.type is StateType.PARALLEL:
            if not self.regions:
                raise ValueError(f"Parallel state '{self.name}' must have at least one region")
            if len(set(self.region_names)) != len(self.regions):
                raise ValueError(f"Parallel state '{self.name}' has duplicate region names")
        elif self.regions:
            raise ValueError(f"Non-parallel state '{self.name}' cannot have regions")
        if (self.entry_points or self.exit_points) and not self.is_compound:
            raise ValueError(f"Only compound states can have entry/exit points: '{self.name}'")

    @property
    def is_initial(self) -> bool:
        """Whether entities begin here."""
        return self.type is StateType.INITIAL

    @property
    def is_terminal(self) -> bool:
        """Whether nothing leads out of it."""
        return self.type is StateType.TERMINAL

    @property
    def is_error(self) -> bool:
        """Whether resting here counts as a failure."""
        return self.type is StateType.ERROR

    @property
    def is_parallel(self) -> bool:
        """Whether it has regions."""
        return self.type is StateType.PARALLEL

    @property
    def is_choice(self) -> bool:
        """Whether it only decides where to go on."""
        return self.type is StateType.CHOICE

    @property
    def has_timeout(self) -> bool:
        """Whether the time in it is limited."""
        return self.timeout is not None

    @property
    def is_compound(self) -> bool:
        """Whether another state inside it is active with it."""
        return self.initial_child is not None

    @property
    def is_leaf(self) -> bool:
        """Whether nothing inside it is active with it."""
        return self.initial_child is None and not self.regions

    @property
    def region_names(self) -> tuple[str, ...]:
        """The names of its regions."""
        return tuple(region.name for region in self.regions)

    def get_region(self, name: str) -> Region | None:
        """The region of a name."""
        return next((region for region in self.regions if region.name == name), None)

    def to_config(self) -> dict[str, Any]:
        """The state as configurations write it, without what is the default."""
        config: dict[str, Any] = {"name": self.name, "type": self.type.value}
        for key in ("description", "group", "parent", "initial_child"):
            value = getattr(self, key)
            if value:
                config[key] = value
        for key in ("regions", "on_enter", "on_exit", "invoke", "when"):
            items = getattr(self, key)
            if items:
                config[key] = [item.to_config() for item in items]
        if self.timeout is not None:
            config["timeout"] = self.timeout.to_config()
        for key in ("entry_points", "exit_points"):
            names = getattr(self, key)
            if names:
                config[key] = list(names)
        if self.metadata:
            config["metadata"] = dict(self.metadata)
        return config
