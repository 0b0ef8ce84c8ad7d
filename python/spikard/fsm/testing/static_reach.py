"""Where entities can come to whatever guards say: more than they can in truth, and never less."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from spikard.fsm.region import Region
from spikard.fsm.testing.simulation import Simulation


@dataclass(frozen=True, slots=True)
class StaticReach:
    """States that are active outside of regions, those that are inside of them, and choices passed by trigger."""

    resting: frozenset[str]
    regional: frozenset[str]
    choices: frozenset[tuple[str, str]]


def static_reach(simulation: Simulation) -> StaticReach:
    """Follows every transition, timer and way through choices, guarded or not."""
    machine, chains = simulation.original, simulation.chains
    leaves = {machine.initial_leaf}
    regional: set[str] = set()
    choices: set[tuple[str, str]] = set()
    waiting = deque(leaves)
    while waiting:
        leaf = waiting.popleft()
        inside = set(_regional(simulation, leaf))
        regional |= inside
        for target in _targets(simulation, leaf, inside, choices):
            if target not in leaves:
                leaves.add(target)
                waiting.append(target)
    resting = {name for leaf in leaves for name in chains[leaf]}
    return StaticReach(frozenset(resting), frozenset(regional), frozenset(choices))


def _regional(simulation: Simulation, leaf: str) -> Iterator[str]:
    """States that regions of a parallel state may be in."""
    for region in simulation.original.states[leaf].regions:
        yield region.initial
        for transition in simulation.transitions:
            if transition.region == region.name and (not region.states or transition.dest in region.states):
                yield simulation.leaves.get(transition.dest, transition.dest)


def _targets(simulation: Simulation, leaf: str, inside: Iterable[str], choices: set[tuple[str, str]]) -> Iterator[str]:
    chain = set(simulation.chains[leaf])
    inside = set(inside)
    regions = {region.name: region for region in simulation.original.states[leaf].regions}
    for transition in simulation.transitions:
        if transition.internal:
            continue
        if transition.region is None:
            if not transition.source & chain:
                continue
        elif not _leaves(regions.get(transition.region), transition.dest) or not transition.source & inside:
            continue
        yield from _ends(simulation, transition.dest, transition.trigger, choices)
    for name in chain:
        timeout = simulation.original.states[name].timeout
        if timeout is not None:
            yield from _ends(simulation, timeout.destination, f"_timeout_{name}", choices)


def _leaves(region: Region | None, dest: str) -> bool:
    """Whether a transition of a region leads out of its parallel state."""
    return region is not None and bool(region.states) and dest not in region.states


def _ends(simulation: Simulation, dest: str, trigger: str, choices: set[tuple[str, str]]) -> Iterator[str]:
    if dest.startswith(("H(", "H*(")):
        compound = dest.rpartition("(")[2].rstrip(")")
        yield from (name for name, chain in simulation.chains.items() if compound in chain)
        return
    leaf = simulation.leaves.get(dest)
    if leaf is None:
        return
    if leaf not in simulation.choices:
        yield leaf
        return
    if (leaf, trigger) in choices:
        return
    choices.add((leaf, trigger))
    for number in simulation.by_source.get((leaf, trigger), ()):
        yield from _ends(simulation, simulation.transitions[number].dest, trigger, choices)
