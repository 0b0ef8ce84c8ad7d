"""Machines with one thing wrong each, and whether scenarios notice."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from spikard.fsm.action_spec import ActionSpec
from spikard.fsm.guard_spec import GuardSpec
from spikard.fsm.state import State
from spikard.fsm.state_machine import StateMachine
from spikard.fsm.testing.runner import run_scenarios
from spikard.fsm.testing.scenario import Scenario
from spikard.fsm.transition import Transition

_OPPOSITES = {"gt": "gte", "gte": "gt", "lt": "lte", "lte": "lt", "eq": "neq", "neq": "eq", "in": "not_in"}
_MUTANT = ActionSpec(name="somebody_elses_action")


@dataclass(frozen=True, slots=True)
class Mutant:
    """A machine that differs from another in one thing."""

    kind: str
    place: str
    machine: StateMachine = field(repr=False)

    def __str__(self) -> str:
        return f"{self.kind}: {self.place}"


@dataclass(frozen=True, slots=True)
class MutationReport:
    """Which mutants scenarios have noticed."""

    killed: tuple[Mutant, ...]
    survived: tuple[Mutant, ...]

    @property
    def score(self) -> float:
        """The share that was noticed, from 0.0 to 1.0."""
        total = len(self.killed) + len(self.survived)
        return len(self.killed) / total if total else 1.0

    def to_dict(self) -> dict[str, Any]:
        """The report as plain data."""
        return {
            "killed": len(self.killed),
            "survived": [str(mutant) for mutant in self.survived],
            "score": round(self.score, 4),
        }

    def __str__(self) -> str:
        return f"{len(self.killed)} of {len(self.killed) + len(self.survived)} mutants killed ({self.score:.0%})"


def mutants(machine: StateMachine) -> Iterator[Mutant]:
    """All mutants of a machine.

    Transitions are dropped, sent elsewhere, lose a guard or have it turned round or moved by one, lose an action or
    have another in its place; so do the actions of states. Limits of time are dropped and lead elsewhere.
    """
    transitions = machine.transitions
    for number, transition in enumerate(transitions):
        label = f"'{transition.trigger}' from {'/'.join(sorted(transition.source))} to '{transition.dest}'"
        yield _mutant(
            machine, "drop transition", label, transitions=[*transitions[:number], *transitions[number + 1 :]]
        )
        for kind, changed in _of_transition(machine, transition):
            others = [*transitions[:number], changed, *transitions[number + 1 :]]
            yield _mutant(machine, kind, label, transitions=others)
    for name, state in machine.states.items():
        for kind, other in _of_state(machine, state):
            yield _mutant(machine, kind, f"state '{name}'", states={**machine.states, name: other})


def mutation_report(
    machine: StateMachine, scenarios: Iterable[Scenario], *, among: Iterable[Mutant] | None = None
) -> MutationReport:
    """Runs scenarios against the mutants of a machine, or those `among` which they are to be found."""
    stories = list(scenarios)
    killed: list[Mutant] = []
    survived: list[Mutant] = []
    for mutant in mutants(machine) if among is None else among:
        # One after the other: the first that fails is enough.
        noticed = any(not run_scenarios(mutant.machine, [one], contracts=False).passed for one in stories)
        (killed if noticed else survived).append(mutant)
    return MutationReport(tuple(killed), tuple(survived))


def _of_transition(machine: StateMachine, transition: Transition) -> Iterator[tuple[str, Transition]]:
    elsewhere = _elsewhere(machine, transition)
    if elsewhere is not None:
        yield "retarget", replace(transition, dest=elsewhere)
    for place, guard in enumerate(transition.guards):
        before, after = transition.guards[:place], transition.guards[place + 1 :]
        if not _says_nothing(guard):
            yield "drop guard", replace(transition, guards=(*before, *after))
        for kind, other in _of_guard(guard):
            yield kind, replace(transition, guards=(*before, other, *after))
    for place in range(len(transition.actions)):
        first, last = transition.actions[:place], transition.actions[place + 1 :]
        yield "drop action", replace(transition, actions=(*first, *last))
        yield "swap action", replace(transition, actions=(*first, _MUTANT, *last))


def _of_guard(guard: GuardSpec) -> Iterator[tuple[str, GuardSpec]]:
    yield "negate guard", GuardSpec(negate=guard) if guard.negate is None else guard.negate
    check = guard.check
    if check is not None and check.op in _OPPOSITES:
        yield "change operator", GuardSpec(check=replace(check, op=_OPPOSITES[check.op]))
    if check is not None and isinstance(check.value, (int, float)) and not isinstance(check.value, bool):
        yield "change constant", GuardSpec(check=replace(check, value=check.value + 1))


def _says_nothing(guard: GuardSpec) -> bool:
    """Whether a guard passes whatever comes: without it the machine is the same."""
    return guard.name == "always" or (bool(guard.all_of) and all(_says_nothing(inner) for inner in guard.all_of))


def _of_state(machine: StateMachine, state: State) -> Iterator[tuple[str, State]]:
    for place in range(len(state.on_enter)):
        before, after = state.on_enter[:place], state.on_enter[place + 1 :]
        yield "drop on_enter", replace(state, on_enter=(*before, *after))
        yield "swap on_enter", replace(state, on_enter=(*before, _MUTANT, *after))
    for place in range(len(state.on_exit)):
        before, after = state.on_exit[:place], state.on_exit[place + 1 :]
        yield "drop on_exit", replace(state, on_exit=(*before, *after))
        yield "swap on_exit", replace(state, on_exit=(*before, _MUTANT, *after))
    if state.timeout is not None:
        now = state.timeout.destination
        for other in (name for name in machine.states if name not in {now, state.name}):
            yield "retarget timeout", replace(state, timeout=replace(state.timeout, destination=other))
            break
        yield "drop timeout", replace(state, timeout=None)


def _elsewhere(machine: StateMachine, transition: Transition) -> str | None:
    """A state that the transition does not lead to."""
    if transition.internal:
        return None
    hierarchy, states = machine.hierarchy, machine.states
    members: Iterable[str] = states
    if transition.region is not None:
        regions = [region for state in states.values() for region in state.regions]
        members = next((region.states for region in regions if region.name == transition.region), ())
    now = hierarchy.resolve_initial_leaf(transition.dest) if transition.dest in states else None
    for name in members:
        if name != transition.dest and not states[name].is_choice and hierarchy.resolve_initial_leaf(name) != now:
            return name
    return None


def _mutant(
    machine: StateMachine,
    kind: str,
    place: str,
    *,
    states: dict[str, State] | None = None,
    transitions: list[Transition] | None = None,
) -> Mutant:
    other = StateMachine(
        dict(machine.states) if states is None else states,
        machine.transitions if transitions is None else transitions,
        machine.meta,
        machine.error_policy,
    )
    other.bind_guards(machine.guard_registry.copy(strict=machine.guard_registry.strict))
    other.bind_actions(machine.action_registry)
    return Mutant(kind, place, other)
