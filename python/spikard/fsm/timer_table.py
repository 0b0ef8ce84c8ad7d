"""Which timers run in which state of a machine."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from spikard.fsm.state_machine import StateMachine


class StateTimer(NamedTuple):
    """A timer that starts with a state: its key, the event that it sends, and after how many seconds."""

    key: str
    trigger: str
    seconds: float


def timers_of(machine: "StateMachine") -> dict[str, list[StateTimer]]:
    """The timers of each state that has some: delayed transitions, then the limit of its time."""
    timers: dict[str, list[StateTimer]] = {}
    for index, transition in enumerate(machine.transitions):
        if transition.is_delayed:
            for name in transition.source:
                timer = StateTimer(f"{name}#{index}", transition.trigger, (transition.after or 0) / 1000)
                timers.setdefault(name, []).append(timer)
    for name, state in machine.states.items():
        if state.timeout is not None:
            declared = "timeout" in machine.get_available_triggers(name)
            trigger = "timeout" if declared else f"_timeout_{name}"
            timers.setdefault(name, []).append(StateTimer(f"{name}#timeout", trigger, state.timeout.seconds))
    return timers
