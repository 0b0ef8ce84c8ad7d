"""What one event does to a chart, computed without a session."""

from collections.abc import Iterator, Mapping
from typing import Any

from spikard._spikard import Chart, ChartRun, TransitionResult
from spikard.fsm.action_spec import ActionSpec
from spikard.fsm.errors import UndefinedStateError
from spikard.fsm.event import Event


def first_values(chart: Chart) -> dict[str, Any]:
    """The data model of an entity that nothing is known of yet."""
    run = ChartRun(chart, "computed", {})
    run.start()
    return run.values()


def compute(
    chart: Chart, leaves: str, event: str | Event, context: Mapping[str, Any], history: Mapping[str, Any]
) -> TransitionResult:
    """The step of an event from active leaves, given as text with commas between them.

    Nothing is sent or started. Changes of the data model, events to send and actions are the plan's actions; everything
    that the chart orders is in the metadata, under `orders`.
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
    actions = [ActionSpec.from_config(action) for action in _actions(context, run.values(), orders)]
    return TransitionResult.success_result(leaves, ",".join(run.leaves), name, actions, metadata=metadata)


def _actions(before: Mapping[str, Any], after: Mapping[str, Any], orders: list[tuple[Any, ...]]) -> Iterator[Any]:
    changed = {key: value for key, value in after.items() if key not in before or before[key] != value}
    if changed:
        yield {"set": changed}
    yield from ({"clear": key} for key in before if key not in after)
    for order in orders:
        if order[0] == "act":
            yield order[1]
        elif order[0] == "cancel":
            yield {"cancel": order[1]}
        elif order[0] == "send":
            _, sent, target, _, delay = order
            extra = {"to": target, "delay": delay, "id": sent[2], "payload": sent[6]}
            yield {"send": {"event": sent[0], **{key: value for key, value in extra.items() if value}}}


def _chain(leaf: str, parents: Mapping[str, str | None]) -> list[str]:
    chain: list[str] = []
    here: str | None = leaf
    while here is not None:
        if here not in parents:
            raise UndefinedStateError(f"State '{here}' is not defined", here)
        chain.append(here)
        here = parents[here]
    return chain
