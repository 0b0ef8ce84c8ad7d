"""Which timers run in which state of a machine."""

from typing import TYPE_CHECKING, NamedTuple

from spikard.fsm.due_moments import Due, after_seconds, of_state, of_transition

if TYPE_CHECKING:
    from spikard.fsm.state_machine import StateMachine

# The end of keys of timers that fire again for as long as the state lasts.
RECURRING = "#cron"


class StateTimer(NamedTuple):
    """A timer that starts with a state: its key, the event that it sends, and the moment for a context.

    A computed one has different moments for different contexts.
    """

    key: str
    trigger: str
    due: Due
    is_computed: bool = False


def timers_of(machine: "StateMachine") -> dict[str, list[StateTimer]]:
    """The timers of each state that has some: delayed transitions, then the limit of its time, then its schedule."""
    timers: dict[str, list[StateTimer]] = {}
    for index, transition in enumerate(machine.transitions):
        for name in transition.source:
            due = of_transition(transition.after, transition.metadata, name)
            if due is not None:
                timers.setdefault(name, []).append(
                    StateTimer(f"{name}#{index}", transition.trigger, due, not transition.is_delayed)
                )
    for name, state in machine.states.items():
        if state.timeout is not None:
            trigger = "timeout" if "timeout" in machine.get_available_triggers(name) else f"_timeout_{name}"
            limit = after_seconds(state.timeout.seconds)
            timers.setdefault(name, []).append(StateTimer(f"{name}#timeout", trigger, limit))
        if "cron" in state.metadata:
            trigger, due = of_state(state.metadata["cron"], name, machine.get_available_triggers(name))
            timers.setdefault(name, []).append(StateTimer(f"{name}{RECURRING}", trigger, due))
    return timers
