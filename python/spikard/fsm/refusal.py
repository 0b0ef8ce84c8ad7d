"""The errors of events that are refused, made when somebody looks at them."""

from typing import Protocol

from spikard.fsm.errors import (
    GuardRejectedError,
    InvalidTransitionError,
    TerminalStateError,
    UndefinedTriggerError,
)


class Triggers(Protocol):
    """A machine, as far as refusals know it."""

    @property
    def trigger_names(self) -> list[str]:
        """Its triggers, sorted."""
        ...


def terminal_state(state: str, trigger: str) -> TerminalStateError:
    """Nothing leads out of the state."""
    return TerminalStateError(state, trigger)


def no_transition(state: str, trigger: str) -> InvalidTransitionError:
    """The trigger means nothing in the state."""
    return InvalidTransitionError(f"No transition for trigger '{trigger}' from state '{state}'", state, trigger)


def undefined_trigger(machine: Triggers, trigger: str) -> UndefinedTriggerError:
    """The trigger means nothing anywhere."""
    return UndefinedTriggerError(
        f"Trigger '{trigger}' is not defined in this machine", trigger, available_triggers=machine.trigger_names
    )


def guards_failed(state: str, trigger: str, guard: str | None, candidates: int) -> GuardRejectedError:
    """There are transitions, and the guards of all of them refuse."""
    where = f"for trigger '{trigger}' from state '{state}'"
    message = f"All guards failed {where}" if guard is None else f"Guard '{guard}' failed {where}"
    context = {"candidate_count": candidates, "reason": "guards_failed"}
    return GuardRejectedError(message, state, trigger, guard or "", context=context)
