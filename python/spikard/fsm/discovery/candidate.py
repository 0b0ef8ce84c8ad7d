"""Machines built of steps that were seen."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from spikard.fsm.discovery.edge import Ends, InferredEdge
from spikard.fsm.discovery.observation import utc_now
from spikard.fsm.drawing import to_dot, to_mermaid
from spikard.fsm.names import normalize_name

FIRST_VERSION = "0.1.0"
# Entities whose log was cut off, or that were seen once more, must not hide that a state is an end.
TERMINAL_SHARE = 0.95

_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class BuiltDiscoveryCandidate:
    """A machine as it was built, with the steps it was built of."""

    machine_name: str
    version: str
    status: str
    config: dict[str, Any]
    created_at: datetime = field(default_factory=utc_now)
    metadata: dict[str, Any] = field(default_factory=dict)
    candidate_sequence: int = 0


@dataclass(frozen=True, slots=True)
class BuiltByDraftAggregate:
    """What was built of a draft."""

    draft_id: str
    count: int
    latest_version: str | None
    latest_created_at: datetime | None


def next_version(latest_version: str | None) -> str:
    """The next patch; the first version where there is none, or none that has patches."""
    found = _VERSION.fullmatch(latest_version or "")
    return f"{found[1]}.{found[2]}.{int(found[3]) + 1}" if found else FIRST_VERSION


def build_machine_config(
    machine_name: str, edges: Iterable[InferredEdge], ends: Ends | None = None, version: str = FIRST_VERSION
) -> dict[str, Any]:
    """A machine with a transition for each step. Ends tell where it begins and where it is over."""
    transitions = _merged(edges)
    names = sorted({name for step in transitions for name in step})
    known = ends or Ends(Counter(), Counter(), Counter())
    first, last, seen = (_by_name(counts) for counts in (known.first, known.last, known.seen))
    initial = max(names, key=lambda name: first[name], default=None)  # the first in the alphabet among equals
    left = {source for source, _ in transitions}
    terminal = {name for name in names if name not in left and seen[name] and last[name] / seen[name] >= TERMINAL_SHARE}
    return {
        "meta": {"machine_name": machine_name, "version": version, "source": "spikard.fsm.discovery"},
        "states": [
            {"name": name, "type": "initial" if name == initial else "terminal" if name in terminal else "stable"}
            for name in names
        ],
        "transitions": [
            {
                "trigger": f"to_{destination}",
                "source": source,
                "dest": destination,
                "meta": {"inferred": True, "count": count, "confidence": confidence},
            }
            for (source, destination), (count, confidence) in transitions.items()
        ],
    }


def _merged(edges: Iterable[InferredEdge]) -> dict[tuple[str, str], tuple[int, float]]:
    """Counts and confidences by normalised states, where states that differed may have become the same."""
    counts: dict[tuple[str, str], tuple[int, float]] = {}
    for edge in edges:
        source, destination = normalize_name(edge.source_state), normalize_name(edge.destination_state)
        if source is None or destination is None:
            continue
        count, leaving = counts.get((source, destination), (0, 0.0))
        counts[source, destination] = count + edge.count, leaving + edge.count / edge.confidence
    return {step: (count, count / leaving) for step, (count, leaving) in counts.items()}


def _by_name(counts: Counter[str]) -> Counter[str]:
    found: Counter[str] = Counter()
    for state, count in counts.items():
        if (name := normalize_name(state)) is not None:
            found[name] += count
    return found


def candidate_to_mermaid(candidate: BuiltDiscoveryCandidate, **options: Any) -> str:
    """A candidate as `to_mermaid` draws machines."""
    return to_mermaid(candidate.config, **options)


def candidate_to_dot(candidate: BuiltDiscoveryCandidate, **options: Any) -> str:
    """A candidate as `to_dot` draws machines."""
    return to_dot(candidate.config, **options)
