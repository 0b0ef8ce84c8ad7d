"""Steps between states, counted."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby, pairwise
from typing import Any

from spikard.fsm.discovery.observation import in_order
from spikard.fsm.observed_state_event import ObservedStateEvent


@dataclass(frozen=True, slots=True)
class InferredEdge:
    """A step that was seen, and how often: `confidence` is its share of all steps out of its source."""

    source_state: str
    destination_state: str
    count: int
    unique_entities: int
    unique_sources: int
    confidence: float
    last_seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ends:
    """How often entities began and ended in a state, and how often it was seen."""

    first: Counter[str]
    last: Counter[str]
    seen: Counter[str]


def traces(observations: Iterable[ObservedStateEvent]) -> list[list[ObservedStateEvent]]:
    """Observations entity by entity, each from the oldest on."""
    return [list(trace) for _, trace in groupby(in_order(observations), key=lambda event: event.entity_id)]


def infer_edges(observations: Iterable[ObservedStateEvent]) -> list[InferredEdge]:
    """The steps between what was seen of each entity, one after the other, by the names of their states."""
    steps: dict[tuple[str, str], list[ObservedStateEvent]] = defaultdict(list)
    leaving: Counter[str] = Counter()
    for trace in traces(observations):
        for before, after in pairwise(trace):
            steps[before.state, after.state].append(after)
            leaving[before.state] += 1
    return [
        InferredEdge(
            source,
            destination,
            len(arrivals),
            len({event.entity_id for event in arrivals}),
            len({event.source for event in arrivals}),
            len(arrivals) / leaving[source],
            max(event.observed_at for event in arrivals),
        )
        for (source, destination), arrivals in sorted(steps.items())
    ]


def trace_ends(observations: Iterable[ObservedStateEvent]) -> Ends:
    """Where entities began and ended."""
    ends = Ends(Counter(), Counter(), Counter())
    for trace in traces(observations):
        ends.first[trace[0].state] += 1
        ends.last[trace[-1].state] += 1
        ends.seen.update(event.state for event in trace)
    return ends


def edges_to_dict(edges: Iterable[InferredEdge]) -> list[dict[str, Any]]:
    """Steps as plain data."""
    return [
        {**asdict(edge), "last_seen_at": None if edge.last_seen_at is None else edge.last_seen_at.isoformat()}
        for edge in edges
    ]
