"""Walking through a machine, place by place, breadth first: shortest ways to whatever there is."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from spikard.fsm.definition import is_on
from spikard.fsm.testing.inputs import Inputs, Move, Outcome, Taken
from spikard.fsm.testing.read_fields import lasting_fields, read_fields
from spikard.fsm.testing.scenario import Step
from spikard.fsm.testing.simulated_session import START, SimulatedSession, StillClock
from spikard.fsm.testing.simulation import Simulation

# Places that are looked at before a search gives up.
MAX_PLACES = 10_000


@dataclass(slots=True, eq=False)
class Hop:
    """Something that may happen at a place, and where it leads; refused events lead nowhere else."""

    step: Step
    after: "Place"
    refused: bool
    taken: tuple[Taken, ...]


@dataclass(slots=True, eq=False)
class Place:
    """An entity somewhere, with the shortest way there."""

    session: SimulatedSession = field(repr=False)
    before: "Place | None" = field(default=None, repr=False)
    step: Step | None = None
    last: int | None = None
    """The transition that led here, where that counts."""
    depth: int = 0
    hops: "list[Hop]" = field(default_factory=list, repr=False)

    def steps(self) -> list[Step]:
        """The way from the beginning."""
        steps: list[Step] = []
        here: Place | None = self
        while here is not None and here.step is not None:
            steps.append(here.step)
            here = here.before
        return steps[::-1]


class Exploration:
    """Places of a machine. Those are the same where nothing that happens later can tell entities apart.

    `is_complete` says whether everything has been looked at; if not, `limit` says what stopped the search.
    """

    def __init__(
        self,
        simulation: Simulation,
        inputs: Inputs,
        context: Mapping[str, Any] | None = None,
        *,
        state: str | None = None,
        contracts: bool = False,
        by_last: bool = False,
        max_places: int = MAX_PLACES,
    ) -> None:
        self.simulation = simulation
        self.inputs = inputs
        self.by_last = by_last
        self.max_places = max_places
        self.places: list[Place] = []
        self.limit: str | None = None
        self._counted = tuple(sorted(self._counted_fields()))
        self._compounds = _remembering(simulation)
        self._seen: dict[Outcome, Place] = {}
        clock = StillClock(START)
        self.initial = Place(simulation.session(context, state, clock=clock, contracts=contracts))

    def run(self, is_done: Callable[[Place, Hop], bool] | None = None) -> "Exploration":
        """Looks at place after place, until `is_done` says so of a hop or nothing is left."""
        for place, hop in self:
            if is_done is not None and is_done(place, hop):
                self.limit = "stopped early"
                break
        return self

    def __iter__(self) -> Iterator[tuple[Place, Hop]]:
        waiting = deque([self._place(self.initial)[0]])
        while waiting:
            here = waiting.popleft()
            seen: set[Outcome] = set()
            for move in self.inputs.moves(here.session):
                after, is_new = here, False
                if not move.refused:
                    after, is_new = self._place(
                        Place(move.session, here, move.step, self._last(here, move), here.depth + 1)
                    )
                hop = Hop(move.step, after, move.refused, move.taken)
                sight = (id(after), move.refused, move.numbers)
                if sight in seen:
                    continue
                seen.add(sight)
                here.hops.append(hop)
                if is_new:
                    if len(self.places) > self.max_places:
                        self.limit = f"there are more than {self.max_places} places"
                        return
                    waiting.append(after)
                yield here, hop

    @property
    def is_complete(self) -> bool:
        """Whether all places have been looked at, and the values tried there stand for all there are."""
        return self.limit is None and self.inputs.is_exact

    def way_to(self, session: SimulatedSession) -> list[Step]:
        """The way to where a session is that was made on the way."""
        return next(place.steps() for place in self.places if place.session is session)

    def _last(self, here: Place, move: Move) -> int | None:
        if not self.by_last:
            return None
        numbers = [number for number in move.numbers if number is not None]
        return numbers[-1] if numbers else here.last

    def _place(self, place: Place) -> tuple[Place, bool]:
        key = self._key(place)
        known = self._seen.get(key)
        if known is not None:
            return known, False
        self._seen[key] = place
        self.places.append(place)
        return place, True

    def _key(self, place: Place) -> Outcome:
        session = place.session
        memory, context, now = session.memory, session.context, session.clock.now()
        left = tuple((name, memory[name]) for name in sorted(memory) if name in self._compounds)
        counted = tuple(repr(context.get(name)) for name in self._counted)
        due = sorted((at - now, key) for key, (at, _) in session.timers.items()) if self.simulation.timers else ()
        return (session.place, left, counted, tuple(due), place.last, self.inputs.latent(session))

    def _counted_fields(self) -> frozenset[str]:
        """Fields that tell entities apart in one place: what the machine writes and looks at, and what lasts."""
        extra = {name.partition(".")[0] for name in self.inputs.extra.fields}
        counted = self.inputs.written & (read_fields(self.simulation) | extra)
        return frozenset(counted | extra | lasting_fields(self.simulation) if self.inputs.is_exhaustive else counted)


def _remembering(simulation: Simulation) -> frozenset[str]:
    """The compound states of which it matters where they were left."""
    found: set[str] = set()
    for transition in simulation.transitions:
        if transition.is_history_target:
            compound = transition.dest.rpartition("(")[2].rstrip(")")
            is_deep = transition.dest.startswith("H*")
            found |= {name for name, chain in simulation.chains.items() if is_deep and compound in chain} | {compound}
    return frozenset(found)


def first_context(simulation: Simulation, inputs: Inputs) -> dict[str, Any]:
    """A context that fulfils what the machine demands of contexts, as far as one is found."""
    machine = simulation.original
    context: dict[str, Any] = {}
    for variable in machine.get_state_variables():
        if variable.get("default") is not None:
            context[variable["key"]] = variable["default"]
        elif variable.get("required"):
            context[variable["key"]] = _PLAIN.get(variable.get("type") or "", "x")
    if not is_on(machine.meta.get("validate_context"), False) or machine.validate_context(context)[0]:
        return context
    return inputs.fitting(context) or context


_PLAIN: dict[str, Any] = {"string": "x", "number": 1, "boolean": True, "object": {}}
