"""Why something of a machine cannot be covered."""

from collections.abc import Sequence
from typing import Any

from spikard.fsm.testing.coverage import KINDS, Coverage
from spikard.fsm.testing.exploration import Exploration
from spikard.fsm.testing.simulation import Simulation
from spikard.fsm.testing.static_reach import StaticReach, static_reach


def infeasible_goals(simulation: Simulation, coverage: Coverage, searches: Sequence[Exploration]) -> dict[str, str]:
    """The goals that nothing can reach, with the reason; those that were only not found are not among them."""
    reach = static_reach(simulation)
    is_proved = any(search.is_complete and search.inputs.own for search in searches)
    reasons: dict[str, str] = {}
    for kind in KINDS:
        for goal in coverage.unseen(kind):
            reason = _reason(simulation, reach, kind, goal)
            if reason is None and is_proved:
                reason = "no values let anything come there"
            if reason is not None:
                reasons[coverage.name(kind, goal)] = reason
    return reasons


def _reason(simulation: Simulation, reach: StaticReach, kind: str, goal: Any) -> str | None:
    if kind == "state":
        is_active = goal in reach.resting or goal in reach.regional or any(goal == name for name, _ in reach.choices)
        return None if is_active else "nothing leads there"
    number = goal[0]
    if number < 0:
        return None if goal[1] in reach.resting or goal[1] in reach.regional else "nothing leads there"
    transition = simulation.transitions[number]
    sources = [goal[1]] if kind == "transition" else sorted(transition.source)
    if not any(_is_tried(simulation, reach, number, source) for source in sources):
        return "it is never tried there"
    if kind == "guard" and not goal[1] and _always_passes(simulation, number):
        return "its guards always pass"
    if kind == "guard" and goal[1] and any(guard.name == "never" for guard in transition.guards):
        return "its guards never pass"
    return None


def _is_tried(simulation: Simulation, reach: StaticReach, number: int, source: str) -> bool:
    transition = simulation.transitions[number]
    if transition.region is not None:
        return source in reach.regional
    if source in simulation.choices:
        return (source, transition.trigger) in reach.choices
    return source in reach.resting


def _always_passes(simulation: Simulation, number: int) -> bool:
    return all(guard.name == "always" for guard in simulation.transitions[number].guards)
