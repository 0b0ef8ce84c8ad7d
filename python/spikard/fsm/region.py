"""Regions of parallel states."""

from typing import Any

from spikard.fsm.frozen import frozen
from spikard.fsm.identifier import require_identifier


@frozen
class Region:
    """One of the state machines that run side by side in a parallel state."""

    name: str
    initial: str
    states: tuple[str, ...] = ()
    description: str = ""
    final: str | None = None

    def __post_init__(self) -> None:
        require_identifier("Region", self.name, self.initial)
        if not self.initial:
            raise ValueError("Region must have an initial state")
        if self.states and self.initial not in self.states:
            raise ValueError(f"Region initial state '{self.initial}' must be in states list")
        if self.states and self.final is not None and self.final not in self.states:
            raise ValueError(f"Region final state '{self.final}' must be in states list")

    def contains(self, state_name: str) -> bool:
        """Whether a state is listed in the region."""
        return state_name in self.states

    def to_config(self) -> dict[str, Any]:
        """The region as configurations write it."""
        config: dict[str, Any] = {"name": self.name, "initial": self.initial}
        if self.states:
            config["states"] = list(self.states)
        if self.description:
            config["description"] = self.description
        if self.final is not None:
            config["final"] = self.final
        return config
