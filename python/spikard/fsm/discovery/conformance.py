"""How well a log fits a machine."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from spikard.fsm.discovery.observation import in_order, normalized
from spikard.fsm.history_type import parse_history_dest
from spikard.fsm.names import normalize_name
from spikard.fsm.observed_state_event import ObservedStateEvent
from spikard.fsm.state_machine import StateMachine
from spikard.fsm.transition import Transition


@dataclass(frozen=True, slots=True)
class Deviation:
    """The first step of an entity that the machine does not have; steps count from 1, the first is how it begins."""

    entity_id: str
    step: int
    source: str | None
    target: str
    reason: str


@dataclass(frozen=True, slots=True)
class ConformanceReport:
    """What was found: `fitness` is the share of steps that the machine allows, `precision` the share of what it allows,
    in the states that were seen, that was seen.
    """

    fitness: float
    precision: float
    cases: int
    steps: int
    conforming_cases: int
    deviations: list[Deviation] = field(default_factory=list)


def check_conformance(machine: StateMachine, observations: Iterable[ObservedStateEvent]) -> ConformanceReport:
    """Follow each entity's steps through a machine, whatever its guards say. A state seen twice running is one step."""
    allowed = _Allowed(machine)
    events = in_order(normalized(event) for event in observations)
    steps = fitting = cases = conforming = 0
    taken: Counter[tuple[str, str]] = Counter()
    deviations = []
    for entity_id, seen in groupby(events, key=lambda event: event.entity_id):
        states = _path([event.state for event in seen])
        cases += 1
        first: Deviation | None = None
        for number, (source, target) in enumerate(zip([None, *states], states, strict=False), 1):
            steps += 1
            reason = allowed.refusal(source, target)
            if reason is None:
                fitting += 1
                if source is not None:
                    taken[source, target] += 1
            elif first is None:
                first = Deviation(entity_id, number, source, target, reason)
        conforming += first is None
        deviations += [] if first is None else [first]
    return ConformanceReport(
        fitting / steps if steps else 1.0, allowed.precision(taken), cases, steps, conforming, deviations
    )


def _path(states: Sequence[str]) -> list[str]:
    names = [normalize_name(state) or state for state in states]
    return [name for place, name in enumerate(names) if place == 0 or names[place - 1] != name]


class _Allowed:
    """The states that may follow each other."""

    def __init__(self, machine: StateMachine) -> None:
        self._machine = machine
        self._hierarchy = machine.hierarchy
        self._next: dict[str, frozenset[str]] = {}

    def refusal(self, source: str | None, target: str) -> str | None:
        """Why a step is not allowed; None where it is."""
        if not self._machine.validate_state(target):
            return f"'{target}' is no state of the machine"
        if source is None:
            begins = self._settled([self._machine.initial_leaf])
            return None if target in begins else f"the machine begins in '{self._machine.initial_leaf}'"
        if not self._machine.validate_state(source):
            return f"'{source}' is no state of the machine"
        return None if target in self.following(source) else "no transition leads there"

    def following(self, source: str) -> frozenset[str]:
        """The states that may come after one."""
        if source not in self._next:
            direct = [name for one in self._machine.get_available_transitions(source) for name in self._targets(one)]
            here = self._machine.states[source]
            if here.timeout is not None:
                direct += self._inside(here.timeout.destination)
            self._next[source] = frozenset(self._settled(direct))
        return self._next[source]

    def precision(self, taken: Counter[tuple[str, str]]) -> float:
        """How much of what is allowed was seen, states that were left often counting more."""
        visits: Counter[str] = Counter()
        seen: dict[str, set[str]] = defaultdict(set)
        for (source, target), count in taken.items():
            visits[source] += count
            seen[source].add(target)
        possible = sum(count * len(self._ends(source)) for source, count in visits.items())
        used = sum(count * len(seen[source]) for source, count in visits.items())
        return min(1.0, used / possible) if possible else 1.0

    def _ends(self, source: str) -> set[str]:
        """What may follow, each compound state counted as the leaf that is entered in it."""
        return {self._hierarchy.resolve_initial_leaf(name) for name in self.following(source)} - {source}

    def _targets(self, transition: Transition) -> list[str]:
        history = parse_history_dest(transition.dest)
        if history is not None:
            return [name for name in self._machine.states if history[0] in self._machine._chain(name)]
        return self._inside(transition.dest.partition(":")[0])

    def _inside(self, name: str) -> list[str]:
        """A state, and the leaf that is entered with it."""
        return [name, self._hierarchy.resolve_initial_leaf(name)] if self._machine.validate_state(name) else []

    def _settled(self, names: list[str]) -> set[str]:
        """With what follows of itself: automatic steps, and choices, which nobody rests in."""
        found: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name in found:
                continue
            found.add(name)
            state = self._machine.states[name]
            for one in self._machine.get_available_transitions(name):
                if one.auto or (state.is_choice and name in one.source):
                    waiting += self._targets(one)
        return found
