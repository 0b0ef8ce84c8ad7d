"""Where entities can come to, and where they cannot get away from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from spikard.fsm.state_machine import StateMachine
from spikard.fsm.testing.coverage import Coverage
from spikard.fsm.testing.expectations import expected
from spikard.fsm.testing.exploration import MAX_PLACES, Exploration, Place, first_context
from spikard.fsm.testing.inputs import Inputs
from spikard.fsm.testing.scenario import Scenario, Step
from spikard.fsm.testing.simulation import Simulation
from spikard.fsm.testing.static_reach import static_reach


@dataclass(frozen=True, slots=True)
class Reachability:
    """What a search has found of a machine; every find comes with the shortest way there, as a scenario."""

    paths: Mapping[str, Scenario] = field(repr=False)
    """To each state that was reached."""
    unreached: Mapping[str, str]
    """States that were not, each with the reason."""
    deadlocks: tuple[Scenario, ...]
    """To states that are not terminal, and that nothing leads out of."""
    livelocks: Mapping[tuple[str, ...], Scenario]
    """To states between which an entity goes round for ever, with no way out to a terminal one."""
    limit: str
    """Why something may have been missed, deadlocks and livelocks among them; empty where all was looked at."""
    places: int

    @property
    def reached(self) -> list[str]:
        """The states that were reached, nearest first."""
        return list(self.paths)

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain data."""
        return {
            "reached": {name: path.to_config() for name, path in self.paths.items()},
            "unreached": dict(self.unreached),
            "deadlocks": [path.to_config() for path in self.deadlocks],
            "livelocks": [{"states": list(ring), "path": path.to_config()} for ring, path in self.livelocks.items()],
            "limit": self.limit,
            "places": self.places,
        }


def reachability(
    machine: StateMachine,
    *,
    context: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    max_places: int = MAX_PLACES,
) -> Reachability:
    """Looks at everything that can happen to a new entity, guards included."""
    simulation = Simulation(machine, is_search=True)
    tried = Inputs(simulation, inputs, exhaustive=True)
    first = dict(first_context(simulation, tried) if context is None else context)
    search = Exploration(simulation, tried, first, max_places=max_places).run()
    limit = search.limit or tried.doubt

    def scenario(name: str, steps: Sequence[Step]) -> Scenario:
        return expected(simulation, name, steps, first)

    paths = {name: scenario(f"to {name}", steps) for name, steps in _ways(simulation, search).items()}
    stuck = [] if limit else _stuck(search)
    rings = {} if limit else _rings(search)
    return Reachability(
        paths,
        _unreached(simulation, paths, is_proved=not limit),
        tuple(scenario(f"deadlock in {place.session.place}", place.steps()) for place in stuck),
        {ring: scenario(f"livelock in {ring[0]}", steps) for ring, steps in rings.items()},
        limit,
        len(search.places),
    )


def able_to_reach(places: Iterable[Place], goals: Iterable[Place]) -> set[int]:
    """The places from which one of the goals can be reached, by identity."""
    before: dict[int, list[Place]] = {}
    for place in places:
        for hop in place.hops:
            if not hop.refused:
                before.setdefault(id(hop.after), []).append(place)
    waiting = list(goals)
    able = {id(place) for place in waiting}
    while waiting:
        for place in before.get(id(waiting.pop()), ()):
            if id(place) not in able:
                able.add(id(place))
                waiting.append(place)
    return able


def _ways(simulation: Simulation, search: Exploration) -> dict[str, list[Step]]:
    ways: dict[str, list[Step]] = {name: [] for name in search.initial.session.active}
    coverage = Coverage(simulation)
    for place in search.places:
        for hop in place.hops:
            before = set(coverage.seen_states)
            for number, result in hop.taken:
                coverage.record(result, number)
            coverage.see_states(hop.after.session.active)
            for name in sorted(coverage.seen_states - before):
                ways.setdefault(name, [*place.steps(), hop.step])
    return ways


def _unreached(simulation: Simulation, paths: Mapping[str, Scenario], *, is_proved: bool) -> dict[str, str]:
    reach = static_reach(simulation)
    active = reach.resting | reach.regional | {name for name, _ in reach.choices}
    reason = "no values let anything come there" if is_proved else "not found"
    return {
        name: reason if name in active else "nothing leads there" for name in simulation.chains if name not in paths
    }


def _stuck(search: Exploration) -> list[Place]:
    found: dict[str, Place] = {}
    for place in search.places:
        moves = any(result.success for hop in place.hops for _, result in hop.taken)
        if not moves and not place.session.is_final:
            found.setdefault(place.session.place, place)
    return list(found.values())


def _rings(search: Exploration) -> dict[tuple[str, ...], list[Step]]:
    """States from which no terminal one is reached, though something always goes on; none in machines without end."""
    if not search.simulation.original.terminal_states:
        return {}
    able = able_to_reach(search.places, (place for place in search.places if place.session.is_final))
    lost = [place for place in search.places if id(place) not in able]
    rings: dict[tuple[str, ...], list[Step]] = {}
    done: set[int] = set()
    for place in lost:
        if id(place) in done:
            continue
        ring = _ring(place, lost)
        done |= {id(one) for one in ring}
        if ring:
            rings.setdefault(tuple(sorted({one.session.place for one in ring})), place.steps())
    return rings


def _ring(place: Place, among: Sequence[Place]) -> list[Place]:
    """The places of the ring that a place is on; none if it is on none."""
    ahead = _ahead(place)
    if id(place) not in ahead:
        return []
    behind = able_to_reach(among, [place])
    return [one for one in ahead.values() if id(one) in behind]


def _ahead(place: Place) -> dict[int, Place]:
    found: dict[int, Place] = {}
    waiting = [place]
    while waiting:
        for hop in waiting.pop().hops:
            if not hop.refused and id(hop.after) not in found:
                found[id(hop.after)] = hop.after
                waiting.append(hop.after)
    return found
