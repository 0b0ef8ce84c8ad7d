"""Paths through a machine that cover it, found by search."""
# ruff: noqa: PT028 - `testgen` is no test

import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from spikard.fsm.state_machine import StateMachine
from spikard.fsm.testing.boundaries import boundary_paths
from spikard.fsm.testing.coverage import KINDS, Coverage
from spikard.fsm.testing.expectations import expected, plain_step
from spikard.fsm.testing.exploration import MAX_PLACES, Exploration, Hop, Place, first_context
from spikard.fsm.testing.feasibility import infeasible_goals
from spikard.fsm.testing.inputs import Inputs
from spikard.fsm.testing.scenario import Scenario, Step
from spikard.fsm.testing.simulation import Simulation

# Inputs without anything new before a search gives up, at least.
PATIENCE = 2000
# Steps of one covering path.
LONGEST = 50
STRATEGIES = ("states", "transitions", "pairs", "boundary", "random")
Payloads = Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class TestSuite:
    """Generated scenarios, and what they cover."""

    __test__ = False  # no test of pytest's, whatever its name

    machine: StateMachine = field(repr=False)
    scenarios: tuple[Scenario, ...]
    coverage: Coverage = field(repr=False)
    strategies: tuple[str, ...] = ()

    def __iter__(self) -> Any:
        return iter(self.scenarios)

    def __len__(self) -> int:
        return len(self.scenarios)

    def to_dict(self) -> dict[str, Any]:
        """Scenarios and coverage as plain data."""
        return {
            "machine": self.machine.name,
            "version": self.machine.version,
            "fingerprint": self.machine.fingerprint,
            "strategies": list(self.strategies),
            "scenarios": [scenario.to_config() for scenario in self.scenarios],
            "coverage": self.coverage.to_dict(),
        }

    def to_json(self) -> str:
        """The suite as JSON, which `load_scenarios` reads."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"

    def to_pytest(self, machine: str | None = None) -> str:
        """The source of a pytest file; see `spikard.fsm.testing.to_pytest`."""
        from spikard.fsm.testing.pytest_file import to_pytest

        return to_pytest(self.machine, self.scenarios, machine)


def testgen(
    machine: StateMachine,
    strategy: str | Iterable[str] = "transitions",
    *,
    seed: int = 0,
    context: Mapping[str, Any] | None = None,
    inputs: Payloads | None = None,
    paths: int = 20,
    length: int = 20,
    max_places: int = MAX_PLACES,
) -> TestSuite:
    """Scenarios that cover a machine, with payloads that its guards let through or refuse.

    `strategy` is one of these, or several: `states` (every state), `transitions` (every transition, from each of its
    sources), `pairs` (any two that can follow each other), `boundary` (guards at the edges of what they compare with,
    both ways) and `random` (`paths` walks of `length` steps, the same for the same `seed`). Registered guards are
    asked; those that nobody registered are answered for in the steps. `context` is that of a new entity, `inputs`
    gives payloads by event where guards need what cannot be guessed.
    """
    strategies = (strategy,) if isinstance(strategy, str) else tuple(strategy)
    for name in strategies:
        if name not in STRATEGIES:
            raise ValueError(f"There is no strategy '{name}'; there are {', '.join(STRATEGIES)}")
    generator = _Generator(machine, context, inputs, max_places)
    for name in strategies:
        if name == "random":
            generator.random(seed, paths, length)
        elif name == "boundary":
            generator.boundary()
        else:
            generator.covering(name)
    generator.explain()
    return TestSuite(machine, tuple(generator.scenarios), generator.coverage, strategies)


testgen.__test__ = False  # type: ignore[attr-defined]


def shrink(scenario: Scenario, still_fails: Any) -> Scenario:
    """The scenario without the steps that are not needed for `still_fails(scenario)` to be true.

    Expectations are dropped, for they mean something else where steps are missing.
    """
    steps = [plain_step(step) for step in scenario.steps]
    smallest = replace(scenario, steps=tuple(steps))
    if not still_fails(smallest):
        raise ValueError(f"'{scenario.name}' does not fail as it is")
    size = max(len(steps) // 2, 1)
    while True:
        start, is_shorter = 0, False
        while start < len(steps):
            shorter = steps[:start] + steps[start + size :]
            tried = replace(scenario, steps=tuple(shorter))
            if still_fails(tried):
                steps, smallest, is_shorter = shorter, tried, True
            else:
                start += size
        if size == 1 and not is_shorter:
            return smallest
        size = max(size // 2, 1)


class _Generator:
    def __init__(
        self, machine: StateMachine, context: Mapping[str, Any] | None, inputs: Payloads | None, max_places: int
    ) -> None:
        self.simulation = Simulation(machine, is_search=True)
        self.given = inputs
        self.max_places = max_places
        self.context = dict(first_context(self.simulation, Inputs(self.simulation)) if context is None else context)
        self.coverage = Coverage(self.simulation)
        self.scenarios: list[Scenario] = []
        self.numbers: Counter[str] = Counter()
        self._explored: dict[tuple[bool, bool], Exploration] = {}

    def add(self, kind: str, steps: Sequence[Step]) -> None:
        """Takes a path, and what the machine does on it."""
        self.numbers[kind] += 1
        name = f"{kind} {self.numbers[kind]}"
        self.scenarios.append(expected(self.simulation, name, steps, self.context, self.coverage))

    def explore(self, *, own: bool, by_last: bool = False) -> Exploration:
        """All places; with `own`, events may bring what the machine writes itself."""
        key = (own, by_last)
        if key not in self._explored:
            inputs = Inputs(self.simulation, self.given, own=own)
            search = Exploration(self.simulation, inputs, self.context, by_last=by_last, max_places=self.max_places)
            self._explored[key] = search.run(_Patience(self.simulation, by_last))
        return self._explored[key]

    def covering(self, strategy: str) -> None:
        """Paths that reach everything of a kind."""
        covered = _Goals(self.simulation, strategy)
        for own in (False, True):
            search = self.explore(own=own, by_last=strategy == "pairs")
            for place, hop, goals in sorted(_first_ways(covered, search), key=lambda way: -way[0].depth):
                if goals <= covered.seen:
                    continue
                self._add_covering(strategy, covered, _extended(covered, place, hop))
                if not goals <= covered.seen:
                    self._add_covering(strategy, covered, [*place.steps(), hop.step])
            if covered.is_all:
                break

    def _add_covering(self, strategy: str, covered: "_Goals", steps: Sequence[Step]) -> None:
        before = self.coverage
        self.coverage = Coverage(self.simulation)
        self.add(strategy, steps)
        covered.take(self.coverage)
        before.merge(self.coverage)
        self.coverage = before

    def boundary(self) -> None:
        """Every guarded event with the values at the edges of its guards."""
        for path in boundary_paths(self.explore(own=False), self.explore(own=True)):
            self.add("boundary", path)

    def random(self, seed: int, paths: int, length: int) -> None:
        """Walks that choose what happens next by chance."""
        chance = random.Random(seed)  # noqa: S311 - no secret
        inputs = Inputs(self.simulation, self.given)
        for _ in range(paths):
            session = self.simulation.session(self.context).clone()
            steps: list[Step] = []
            while len(steps) < length and (moves := list(inputs.moves(session))):
                move = chance.choice(moves)
                steps.append(move.step)
                session = move.session
            if steps:
                self.add("random", steps)

    def explain(self) -> None:
        """Finds out why goals were not reached."""
        if any(self.coverage.unseen(kind) for kind in KINDS):
            searches = [search for (_, by_last), search in self._explored.items() if not by_last]
            self.coverage.infeasible.update(infeasible_goals(self.simulation, self.coverage, searches))


class _Patience:
    """Ends a search that has found everything, or nothing new for long: counters make places without end."""

    def __init__(self, simulation: Simulation, by_last: bool) -> None:
        self.coverage = Coverage(simulation)
        self.by_last = by_last
        self.wanted = sum(len(self.coverage.goals(kind)) for kind in KINDS)
        self.found = self.hops = self.hops_then = 0

    def __call__(self, place: Place, hop: Hop) -> bool:
        coverage = self.coverage
        self.hops += 1
        _see(coverage, hop)
        found = len(coverage.seen_states) + len(coverage.seen_edges) + len(coverage.seen_guards)
        if not self.by_last and found == self.wanted:
            return True
        if self.by_last and place.last is not None:
            coverage.seen_pairs |= {(place.last, number) for number, _ in hop.taken[:1] if number is not None}
        found += len(coverage.seen_pairs)
        if found > self.found:
            self.found, self.hops_then = found, self.hops
        return self.hops - self.hops_then > max(PATIENCE, 3 * self.hops_then)


class _Goals:
    """What a strategy wants to see, and what has been."""

    def __init__(self, simulation: Simulation, strategy: str) -> None:
        self.simulation = simulation
        self.strategy = strategy
        self.seen: set[Any] = set()
        self.take(Coverage(simulation))

    def take(self, coverage: Coverage) -> None:
        """Counts what has been seen."""
        self.seen |= self.of(coverage)

    def of(self, coverage: Coverage) -> set[Any]:
        """What of it the strategy wants."""
        if self.strategy == "states":
            return set(coverage.seen_states)
        return coverage.seen_edges | (coverage.seen_pairs if self.strategy == "pairs" else set())

    @property
    def is_all(self) -> bool:
        """Whether nothing is left that could be looked for in another way."""
        kind = "state" if self.strategy == "states" else "transition"
        return set(Coverage(self.simulation).goals(kind)) <= self.seen

    def by(self, place: Place, hop: Hop) -> set[Any]:
        """What a hop shows."""
        coverage = Coverage(self.simulation)
        _see(coverage, hop)
        goals = self.of(coverage)
        if self.strategy == "pairs" and place.last is not None:
            numbers = [number for number, result in hop.taken if result.success and number is not None]
            goals |= {(place.last, number) for number in numbers[:1]}
        return goals


def _first_ways(goals: _Goals, search: Exploration) -> Iterator[tuple[Place, Hop, set[Any]]]:
    """The shortest way to each goal: those are found first."""
    seen = set(goals.seen)
    for place in search.places:
        for hop in place.hops:
            found = goals.by(place, hop)
            if not found <= seen:
                seen |= found
                yield place, hop, found


def _extended(goals: _Goals, place: Place, hop: Hop) -> list[Step]:
    """The way to a place and on, for as long as there is something new at the next corner."""
    steps = [*place.steps(), hop.step]
    seen = goals.seen | goals.by(place, hop)
    here = hop.after
    while len(steps) < LONGEST:
        for hop in here.hops:
            found = goals.by(here, hop)
            if not hop.refused and not found <= seen:
                steps.append(hop.step)
                seen |= found
                here = hop.after
                break
        else:
            break
    return steps


def _see(coverage: Coverage, hop: Hop) -> None:
    coverage.start()
    for number, result in hop.taken:
        coverage.record(result, number)
    if not hop.refused:
        coverage.rest(hop.after.session.active)
