"""Guarded events with values at the edges of what their guards compare with."""

from collections.abc import Iterator
from itertools import islice

from spikard.fsm.testing.exploration import Exploration, Place
from spikard.fsm.testing.inputs import Inputs, Move
from spikard.fsm.testing.scenario import Step

# Steps that are tried for one event at one place.
MAX_PROBES = 200


def boundary_paths(*searches: Exploration) -> list[list[Step]]:
    """Ways to each guarded event, with what is refused there tried first, then one value that passes."""
    paths: list[list[Step]] = []
    done: set[object] = set()
    for search in searches:
        for place in search.places:
            for trigger in search.inputs.triggers(place.session):
                question = search.inputs.contest_guards(place.session, trigger)
                key = (place.session.active, trigger, tuple(question.variables))
                if key not in done and question.guards:
                    done.add(key)
                    paths += _paths(search.inputs, place, trigger)
            for hop in place.hops:
                numbers = tuple(number for number, _ in hop.taken)
                passing = (place.session.active, hop.step.wait is None, numbers)
                if hop.step.event is None and passing not in done:
                    done.add(passing)
                    paths.append([*place.steps(), hop.step])
    return paths


def _paths(inputs: Inputs, place: Place, trigger: str) -> list[list[Step]]:
    way = place.steps()
    refused: list[Step] = []
    accepted: list[Step] = []
    for move in islice(_probes(inputs, place, trigger), MAX_PROBES):
        (refused if move.refused else accepted).append(move.step)
    if not accepted:
        return [[*way, *refused]] if refused else []
    first, *others = accepted
    return [[*way, *refused, first], *([*way, step] for step in others)]


def _probes(inputs: Inputs, place: Place, trigger: str) -> Iterator[Move]:
    """Of each outcome one step, and each of those with every other value for one of its fields."""
    question = inputs.contest_guards(place.session, trigger)
    seen: set[str] = set()
    for base in list(inputs.of_event(place.session, trigger)):
        steps = [base.step]
        for kind, name in question.variables:
            for value in question.variables[kind, name]:
                values = _values(inputs, base.step, place)
                values[kind, name] = value
                steps.append(inputs.step(Step(event=trigger), "payload", place.session, values))
        for step in steps:
            key = repr(step)
            if key not in seen:
                seen.add(key)
                move = inputs.attempt(place.session, step)
                if move is not None:
                    yield move


def _values(inputs: Inputs, step: Step, place: Place) -> dict[tuple[str, str], object]:
    question = inputs.contest_guards(place.session, str(step.event))
    values: dict[tuple[str, str], object] = {}
    for kind, name in question.variables:
        if kind == "guard":
            values[kind, name] = step.guards.get(name, False)
        elif name in step.payload:
            values[kind, name] = step.payload[name]
    return values
