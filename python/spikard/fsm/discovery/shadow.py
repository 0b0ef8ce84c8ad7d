"""Two machines that are asked the same."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from spikard.fsm.discovery.observation import utc_now
from spikard.fsm.errors import UndefinedStateError
from spikard.fsm.state_machine import StateMachine


@dataclass(frozen=True, slots=True)
class ShadowDiff:
    """What the machine in use and a candidate make of one event."""

    machine_name: str
    source_state: str
    trigger: str
    active_success: bool
    active_target_state: str | None
    candidate_success: bool
    candidate_target_state: str | None
    differs: bool
    reason: str | None = None
    recorded_at: datetime = field(default_factory=utc_now)
    metadata: dict[str, Any] = field(default_factory=dict)


Outcome = tuple[bool, str | None]


def machine_of(config: dict[str, Any]) -> StateMachine | None:
    """The machine, or None where nothing was found to build one of."""
    return StateMachine.from_dict(config) if config.get("states") else None


def outcome(machine: StateMachine | None, state: str, trigger: str, context: dict[str, Any] | None) -> Outcome:
    """Whether the event leads somewhere, and where. From a state that the machine has not, it leads nowhere."""
    if machine is None:
        return False, None
    try:
        result = machine.process(state, trigger, dict(context or {}))
    except UndefinedStateError:
        return False, None
    return result.success, result.target_state if result.success else None


def shadow_diff(
    machine_name: str, step: tuple[str, str], active: Outcome, candidate: Outcome, metadata: dict[str, Any]
) -> ShadowDiff:
    """The two outcomes of an event at a state, and how they differ."""
    reason = None
    if active[0] != candidate[0]:
        reason = "success_mismatch"
    elif active[1] != candidate[1]:
        reason = "target_state_mismatch"
    return ShadowDiff(machine_name, *step, *active, *candidate, reason is not None, reason, metadata=metadata)
