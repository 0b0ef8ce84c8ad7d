"""What one event does to a chart, computed without a session."""

from collections.abc import Mapping
from typing import Any

from spikard._spikard import Chart, ChartRun, TransitionResult
from spikard.fsm.errors import UndefinedStateError
from spikard.fsm.event import Event


def compute(
    chart: Chart, leaves: str, event: str | Event, context: Mapping[str, Any], history: Mapping[str, Any]
) -> TransitionResult:
    """The step of an event from active leaves, given as text with commas between them.

    Nothing is sent or started: what the chart orders is in the metadata, under `orders`.
    """
    parents = {name: parent for name, _, parent, _ in chart.states()}
    active = [name for leaf in leaves.split(",") for name in _chain(leaf.strip(), parents)]
    name, payload = (event.trigger, dict(event.payload)) if isinstance(event, Event) else (event, {})
    remembered = {key: [value] if isinstance(value, str) else list(value) for key, value in history.items()}
    memory = {"configuration": active, "history": remembered, "data": dict(context), "running": True}
    run = ChartRun(chart, "computed", {}, memory={**memory, "entered": list(parents)})
    run.post((name, "external", None, None, None, None, payload or None))
    orders: list[tuple[Any, ...]] = []
    while (plan := run.advance()) is not None:
        orders += plan
    taken = [order for order in orders if order[0] == "took"]
    metadata: dict[str, Any] = {
        "left": [order[1] for order in orders if order[0] == "left"],
        "entered": [order[1] for order in orders if order[0] == "entered"],
        "taken": [{"source": source, "event": why, "targets": targets} for _, source, why, targets in taken],
        "orders": [order for order in orders if order[0] not in ("left", "entered", "took")],
        "context": run.values(),
        "_history_updates": run.remember()["history"],
    }
    if not taken:
        metadata.update(no_op=True, reason="no_matching_transition")
        return TransitionResult.no_op_result(leaves, name, metadata)
    return TransitionResult.success_result(leaves, ",".join(run.leaves), name, metadata=metadata)


def _chain(leaf: str, parents: Mapping[str, str | None]) -> list[str]:
    chain: list[str] = []
    here: str | None = leaf
    while here is not None:
        if here not in parents:
            raise UndefinedStateError(f"State '{here}' is not defined", here)
        chain.append(here)
        here = parents[here]
    return chain
