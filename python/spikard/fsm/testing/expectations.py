"""Scenarios with what is to be seen of each step, found out by taking it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from spikard.fsm.testing.coverage import Coverage
from spikard.fsm.testing.scenario import Scenario, Step
from spikard.fsm.testing.simulation import Simulation


def plain_step(step: Step) -> Step:
    """A step that happens without anything being expected of it."""
    return replace(step, state=None, refused=None, actions=None, context={})


def expected(
    simulation: Simulation,
    name: str,
    steps: Iterable[Step],
    context: Mapping[str, Any],
    coverage: Coverage | None = None,
    *,
    state: str | None = None,
) -> Scenario:
    """A scenario that expects what the machine does now: states, plans, and the fields that effects write."""
    from spikard.fsm.testing.runner import play

    scenario = Scenario(name, context=dict(context), state=state)
    session = simulation.session(context, state)
    if coverage is not None:
        coverage.start()
        coverage.see_states(session.active)
    filled = []
    for step in steps:
        before, kept = len(session.fired), session.copy_context()
        results = play(simulation, session, scenario, plain_step(step))
        failed = [result for result in results if not result.success]
        if coverage is not None:
            for number, result in session.fired[before:]:
                coverage.record(result, number)
            for result in failed:
                coverage.record(result)
            coverage.rest(session.active)
        context_now = session.context
        changed = {
            key: context_now[key]
            for key in simulation.watched
            if key in context_now and (key not in kept or kept[key] != context_now[key])
        }
        filled.append(
            replace(
                plain_step(step),
                state=session.place,
                refused=True if failed and step.event is not None else None,
                actions=tuple(action for result in results if result.success for action in result.all_actions),
                context={key: value for key, value in changed.items() if (step.payload or {}).get(key) != value},
            )
        )
    return replace(scenario, steps=tuple(filled))
