"""Proofs by looking at everything: whether a machine fulfils a property, or how it comes not to."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from spikard.fsm.context_contract import validate_context
from spikard.fsm.guard_spec import GuardSpec
from spikard.fsm.state_machine import StateMachine
from spikard.fsm.testing.condition import Condition
from spikard.fsm.testing.contracts import Contracts
from spikard.fsm.testing.expectations import expected
from spikard.fsm.testing.exploration import MAX_PLACES, Exploration, Hop, Place, first_context
from spikard.fsm.testing.inputs import Inputs
from spikard.fsm.testing.properties import Property
from spikard.fsm.testing.reach import able_to_reach
from spikard.fsm.testing.read_fields import read_fields
from spikard.fsm.testing.scenario import Scenario, Step
from spikard.fsm.testing.simulation import Simulation, is_registered

ASSUMPTION = (
    "an event brings values for the fields that its guards look at, apart from those that the machine writes itself, "
    "and nothing else; actions change nothing but by effects"
)


class Verdict(str, Enum):  # noqa: UP042 - compared with and shown as its text, like the other codes
    """What a search has shown."""

    HOLDS = "holds"
    VIOLATED = "violated"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verification:
    """What is known of a property of a machine.

    `trace` is a way to where it is violated, which `run_scenario` takes; from its step `loop_from` on it goes round
    for ever. `reason` says why, or what stands in the way of knowing; `places` is how many were looked at.
    """

    claim: Property
    verdict: Verdict
    reason: str
    places: int
    trace: Scenario | None = None
    loop_from: int | None = None
    assumes: str = ASSUMPTION

    @property
    def holds(self) -> bool:
        """Whether it was proved."""
        return self.verdict is Verdict.HOLDS

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain data."""
        return {
            "property": str(self.claim),
            "verdict": self.verdict.value,
            "reason": self.reason,
            "places": self.places,
            "trace": None if self.trace is None else self.trace.to_config(),
            "loop_from": self.loop_from,
            "assumes": self.assumes,
        }

    def __str__(self) -> str:
        lines = [f"{self.claim}: {self.verdict.value} ({self.reason})"]
        if self.trace is not None:
            lines += [f"  {number}. {step}" for number, step in enumerate(self.trace.steps, 1)]
        if self.loop_from is not None:
            lines.append(f"  and again from {self.loop_from}")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class _Violation:
    steps: Sequence[Step]
    reason: str
    loop_from: int | None = None


def verify(
    machine: StateMachine,
    property: str | Mapping[str, Any] | Property,  # noqa: A002 - what it is called everywhere
    *,
    context: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    max_places: int = MAX_PLACES,
    fair: bool = False,
) -> Verification:
    """Looks for a way in which a property is violated, in everything that can happen to a new entity.

    `never X`, `always X`: whenever the entity rests. `eventually X`, `X leads_to Y`: however events come, as long as
    something happens; with `fair=True` an entity does not go round for ever where a way leads out. `deadlock`: a state
    that is not terminal and that nothing leads out of. `contracts`, `invariants`: those of the machine.

    The answer is `unknown` rather than wrong: where there are more than `max_places` places, and where expressions or
    guards in Python leave open whether the values that were tried stand for all others.
    """
    read = Property.read(property)
    check = _Check(machine, read, context, inputs, max_places, fair)
    found = check.search(free=False)
    if found.verdict is Verdict.UNKNOWN and check.has_opaque_guards:
        # Guards in Python may answer whatever they like: if nothing goes wrong even then, nothing does.
        wider = check.search(free=True)
        if wider.verdict is Verdict.HOLDS:
            return wider
    return found


class _Check:
    def __init__(
        self,
        machine: StateMachine,
        read: Property,
        context: Mapping[str, Any] | None,
        inputs: Mapping[str, Sequence[Mapping[str, Any]]] | None,
        max_places: int,
        fair: bool,
    ) -> None:
        self.property = read
        self.inputs = inputs
        self.max_places = max_places
        self.fair = fair
        self.simulation = Simulation(machine, is_search=True)
        plain = Inputs(self.simulation, inputs)
        self.context = dict(first_context(self.simulation, plain) if context is None else context)
        given = {key for payloads in (inputs or {}).values() for payload in payloads for key in payload}
        read_by_machine = read_fields(self.simulation)
        variables = {variable["key"] for variable in machine.get_state_variables()}
        known = frozenset(read_by_machine | self.simulation.written | variables | given | set(self.context))
        self.conditions = tuple(Condition(self.simulation, one, known) for one in read.conditions)
        registry = machine.guard_registry
        self.has_opaque_guards = any(is_registered(name, registry) for name in self.simulation.names)

    def search(self, *, free: bool) -> Verification:
        """One search; with `free`, all named guards may answer anything."""
        extra = self._looked_at()
        inputs = Inputs(self.simulation, self.inputs, free=free, extra=extra, exhaustive=True)
        exploration = Exploration(
            self.simulation,
            inputs,
            self.context,
            max_places=self.max_places,
            contracts=self.property.kind == "contracts",
        )
        violation = self._violation(exploration)
        places = len(exploration.places)
        if violation is not None:
            trace = expected(self.simulation, f"against: {self.property}", violation.steps, self.context)
            return Verification(self.property, Verdict.VIOLATED, violation.reason, places, trace, violation.loop_from)
        if exploration.limit is not None:
            return Verification(self.property, Verdict.UNKNOWN, exploration.limit, places)
        if not inputs.is_exact:
            return Verification(self.property, Verdict.UNKNOWN, inputs.doubt, places)
        return Verification(self.property, Verdict.HOLDS, f"all {places} places were looked at", places)

    def _looked_at(self) -> list[GuardSpec]:
        """What the property itself looks at, besides the machine."""
        machine = self.simulation.original
        if self.property.kind == "contracts":
            return Contracts(machine).conditions
        if self.property.kind == "invariants":
            names = {"name", "description"}
            written = machine.get_context_invariants()
            return [GuardSpec.from_config({k: v for k, v in one.items() if k not in names}) for one in written]
        return [condition.guard for condition in self.conditions if condition.fields]

    def _violation(self, exploration: Exploration) -> _Violation | None:
        kind = self.property.kind
        if kind in {"never", "always"}:
            [condition] = self.conditions
            is_bad = kind == "never"
            return self._place(exploration, lambda place: condition.holds(place.session) is is_bad, str(self.property))
        if kind == "invariants":
            invariants = self.simulation.original.get_context_invariants()

            def is_broken(place: Place) -> bool:
                return bool(validate_context((), invariants, place.session.context))

            return self._place(exploration, is_broken, "an invariant does not hold")
        if kind == "contracts":
            return self._broken_contract(exploration)
        exploration.run()
        if kind == "deadlock":
            return self._deadlock(exploration)
        return self._liveness(exploration)

    def _place(self, exploration: Exploration, is_bad: Any, reason: str) -> _Violation | None:
        if is_bad(exploration.initial):
            return _Violation([], f"{reason}: not at the very beginning")
        seen = {id(exploration.initial)}
        for place, hop in exploration:
            if id(hop.after) not in seen:
                seen.add(id(hop.after))
                if is_bad(hop.after):
                    return _Violation([*place.steps(), hop.step], f"{reason}: not in '{hop.after.session.place}'")
        return None

    def _broken_contract(self, exploration: Exploration) -> _Violation | None:
        broken = exploration.inputs.broken
        exploration.run(lambda _place, _hop: bool(broken))
        for session, step, error in broken[:1]:
            return _Violation([*exploration.way_to(session), step], error.message)
        return None

    def _deadlock(self, exploration: Exploration) -> _Violation | None:
        if not exploration.is_complete:
            return None
        for place in exploration.places:
            if _is_stuck(place) and not place.session.is_final:
                return _Violation(place.steps(), f"nothing leads out of '{place.session.place}'")
        return None

    def _liveness(self, exploration: Exploration) -> _Violation | None:
        goal = self.conditions[-1]
        reached = {id(place) for place in exploration.places if goal.holds(place.session)}
        starts: Iterable[Place] = [exploration.initial]
        if self.property.kind == "leads_to":
            starts = [place for place in exploration.places if self.conditions[0].holds(place.session)]
        starts = [place for place in starts if id(place) not in reached]
        if self.fair:
            return self._never_again(exploration, starts, reached)
        for start in starts:
            if (found := _escape(start, reached, exploration.is_complete)) is not None:
                return found
        return None

    def _never_again(self, exploration: Exploration, starts: Iterable[Place], reached: set[int]) -> _Violation | None:
        """A place from which the goal cannot be reached any more; known only where everything was looked at."""
        if not exploration.is_complete:
            return None
        able = able_to_reach(exploration.places, (place for place in exploration.places if id(place) in reached))
        for start in starts:
            for place, way in _reachable(start, reached):
                if id(place) not in able:
                    steps = [*start.steps(), *way]
                    return _Violation(steps, f"from '{place.session.place}' nothing leads there any more")
        return None


def _ways_out(place: Place) -> Iterator[Hop]:
    return (hop for hop in place.hops if not hop.refused)


def _is_stuck(place: Place) -> bool:
    return not any(result.success for hop in place.hops for _, result in hop.taken)


def _reachable(start: Place, without: set[int]) -> Iterator[tuple[Place, list[Step]]]:
    """Places that a place leads to without coming by some others, each with the way, breadth first."""
    ways: dict[int, list[Step]] = {id(start): []}
    waiting = [start]
    while waiting:
        here = waiting.pop(0)
        yield here, ways[id(here)]
        for hop in _ways_out(here):
            if id(hop.after) not in ways and id(hop.after) not in without:
                ways[id(hop.after)] = [*ways[id(here)], hop.step]
                waiting.append(hop.after)


def _escape(start: Place, reached: set[int], is_complete: bool) -> _Violation | None:
    """A way from a place that ends, or goes round for ever, without coming where it should."""
    done: set[int] = set()
    # Depth first, with the places of the way at hand: coming back to one of them closes a ring.
    way: list[tuple[Place, Iterator[Hop], Step | None]] = [(start, _ways_out(start), None)]
    on_way = {id(start): 0}
    while way:
        place, hops, _ = way[-1]
        if id(place) not in done and (place.session.is_final or (is_complete and _is_stuck(place))):
            steps = [*start.steps(), *(step for _, _, step in way if step is not None)]
            return _Violation(steps, f"it ends in '{place.session.place}'")
        done.add(id(place))
        for hop in hops:
            after = hop.after
            if id(after) in on_way:
                before = [step for _, _, step in way if step is not None]
                first = len(start.steps()) + on_way[id(after)] + 1
                steps = [*start.steps(), *before, hop.step]
                return _Violation(steps, f"it goes round by '{after.session.place}' for ever", first)
            if id(after) not in reached and id(after) not in done:
                on_way[id(after)] = len(way)
                way.append((after, _ways_out(after), hop.step))
                break
        else:
            way.pop()
            del on_way[id(place)]
    return None
