"""A machine's twin to try things with: guards that can be answered for, and no action that reaches the world."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from spikard.fsm.errors import FSMError, GuardNotFoundError, is_transient_error
from spikard.fsm.guard_registry import GuardRegistry
from spikard.fsm.guard_spec import GuardSpec
from spikard.fsm.state_machine import StateMachine
from spikard.fsm.testing.written_fields import STATUS, all_specs, times, written_fields
from spikard.fsm.timer_table import timers_of

if TYPE_CHECKING:
    from spikard.fsm.clock import Clock
    from spikard.fsm.testing.simulated_session import SimulatedSession

# Stands in the description of a twin's transitions, so that a result tells which of them it is of.
_MARK = "transition #"


class Simulation:
    """What sessions of one machine share while they are tried out.

    The machine's own guards are asked, unless `answers` has an answer for their names; its actions are left alone,
    unless a session is made with `execute_actions=True`.
    """

    def __init__(self, machine: StateMachine, *, is_search: bool = False) -> None:
        if machine.meta.get("semantics") == "scxml":
            raise FSMError("Charts that run by SCXML's algorithm cannot be simulated here; send their events to them")
        self.original = machine
        self.is_search = is_search
        """Whether guards are asked with made-up values, about which what they raise says nothing."""
        self.answers: dict[str, bool] = {}
        states, transitions = dict(machine.states), machine.transitions
        marked = [
            dataclasses.replace(transition, description=f"{_MARK}{number}")
            for number, transition in enumerate(transitions)
        ]
        self.transitions = transitions
        self.machine = StateMachine(states, marked, machine.meta, machine.error_policy)
        self.names = guard_names(transitions)
        self.machine.bind_guards(self._guards(machine.guard_registry))
        self.machine.bind_actions(machine.action_registry)
        self.machine._callbacks = machine._callbacks
        self.timers = timers_of(machine)
        specs = all_specs(states.values(), transitions)
        self.written = written_fields(specs)
        self.watched = sorted(self.written - times(specs) - {STATUS})
        self.has_regions = bool(machine.parallel_states)
        self.choices = frozenset(name for name, state in states.items() if state.is_choice)
        hierarchy = machine.hierarchy
        self.leaves = {name: hierarchy.resolve_initial_leaf(name) for name in states}
        self.chains = {name: tuple(machine._chain(name)) for name in states}
        self.by_source = _by_source(transitions)
        self.triggers: dict[str, list[str]] = {}
        for state, trigger in self.by_source:
            self.triggers.setdefault(state, []).append(trigger)
        self.automatic: dict[str, list[int]] = {}
        for number, transition in enumerate(transitions):
            for name in transition.source if transition.auto else ():
                self.automatic.setdefault(name, []).append(number)

    def _guards(self, registered: GuardRegistry) -> GuardRegistry:
        registry = registered.copy(strict=registered.strict)
        for name in self.names:
            registry.register(name, self._answering(name, registered))
        return registry

    def _answering(self, name: str, registered: GuardRegistry) -> Any:
        def answer(context: dict[str, Any], **params: Any) -> Any:
            given = self.answers.get(name)
            if given is not None:
                return given
            function = registered.resolve(name)
            try:
                return True if function is None else function(context, params)
            except Exception as error:
                if self.is_search and not is_transient_error(error):
                    return False
                raise

        return answer

    @property
    def unregistered(self) -> list[str]:
        """The guards that somebody has to answer for."""
        return sorted(name for name in self.names if not is_registered(name, self.original.guard_registry))

    def session(
        self,
        context: Mapping[str, Any] | None = None,
        state: str | None = None,
        *,
        clock: "Clock | None" = None,
        execute_actions: bool = False,
        contracts: bool = False,
    ) -> "SimulatedSession":
        """An entity to try things with."""
        from spikard.fsm.testing.simulated_session import SimulatedSession

        return SimulatedSession(
            self, context=dict(context or {}), state=state, clock=clock,
            execute_actions=execute_actions, contracts=contracts,
        )  # fmt: skip

    def number(self, metadata: Mapping[str, Any]) -> int | None:
        """Which transition of the machine a result is of."""
        description = metadata.get("transition_description") or ""
        return int(description.removeprefix(_MARK)) if description.startswith(_MARK) else None

    def contest(self, active: Iterable[str], trigger: str) -> list[int]:
        """The transitions of active states that compete for a trigger, in the order in which they are tried."""
        found: list[int] = []
        for state in active:
            found += [number for number in self.by_source.get((state, trigger), ()) if number not in found]
        return found


def guard_names(transitions: Iterable[Any]) -> list[str]:
    """The names of the guards that transitions ask, sorted."""
    return sorted(GuardRegistry().get_required_guards(transitions))


def is_registered(name: str, registry: GuardRegistry) -> bool:
    """Whether a registry has an answer of its own for a guard."""
    try:
        return registry.resolve(name) is not None
    except GuardNotFoundError:
        return False


def flattened(guard: GuardSpec) -> Iterable[GuardSpec]:
    """The guards that a guard is made of, down to those that are made of none."""
    children = (*guard.all_of, *guard.any_of, *([guard.negate] if guard.negate is not None else []))
    if not children:
        yield guard
    for child in children:
        yield from flattened(child)


def _by_source(transitions: Iterable[Any]) -> dict[tuple[str, str], list[int]]:
    found: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for number, transition in enumerate(transitions):
        for state in transition.source:
            found.setdefault((state, transition.trigger), []).append((transition.priority or 0, number))
    return {key: [number for _, number in sorted(members)] for key, members in found.items()}
