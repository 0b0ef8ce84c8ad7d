"""Whether an entity has rested in a state for too long."""

from datetime import UTC, datetime
from typing import Any

from spikard.fsm.state_machine import StateMachine
from spikard.fsm.transition_result import TransitionResult


def check_timeout(
    machine: StateMachine, current_state: str, entered_at: datetime, context: dict[str, Any] | None = None
) -> TransitionResult | None:
    """What happens because the time is up; None before that, and for states without a limit.

    The trigger is `timeout` where the state has a transition for it, or else the way straight to the destination.
    """
    timeout = machine.get_state(current_state).timeout
    if timeout is None:
        return None
    now = datetime.now(UTC) if entered_at.tzinfo is not None else datetime.now()  # noqa: DTZ005 - as it was given
    if (now - entered_at).total_seconds() < timeout.seconds:
        return None
    declared = "timeout" in machine.get_available_triggers(current_state)
    return machine.process(current_state, "timeout" if declared else f"_timeout_{current_state}", context or {})
