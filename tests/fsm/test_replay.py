"""Replays: the same again on the same machine; on another one, the first event that does something else."""

from typing import Any

import pytest

from spikard.fsm import (
    Event,
    EventRecorder,
    InMemoryStateStore,
    Orchestrator,
    ReplayDivergence,
    SQLiteStateStore,
    StateMachine,
)
from spikard.fsm.testing import replay, replay_entity

ORDER: dict[str, Any] = {
    "meta": {"machine_name": "order", "version": "1.0.0"},
    "states": [
        {"name": "open", "type": "initial"},
        {"name": "paid", "on_enter": [{"increment": "payments"}]},
        {"name": "shipped"},
        {"name": "done", "type": "terminal"},
    ],
    "transitions": [
        {"trigger": "pay", "source": "open", "dest": "paid", "guards": [{"expr": "amount >= 10"}]},
        {"trigger": "ship", "source": "paid", "dest": "shipped", "actions": ["carrier"]},
        {
            "trigger": "arrive",
            "source": "shipped",
            "dest": "done",
            "guards": [{"check": {"field": "by", "op": "eq", "value": "van"}}],
        },
    ],
}


def order(**changes: Any) -> StateMachine:
    return StateMachine.from_dict({**ORDER, **changes})


def changed(number: int, **changes: Any) -> StateMachine:
    transitions = [dict(one) for one in ORDER["transitions"]]
    transitions[number].update(changes)
    return order(transitions=transitions)


def recording() -> dict[str, Any]:
    machine = order()

    @machine.action("carrier")
    def carrier(context: dict[str, Any]) -> None:
        context["by"] = "van"

    recorder = machine.create(execute_actions=True).record()
    recorder.send("pay", amount=5)
    recorder.send("pay", amount=10)
    recorder.send("ship")
    recorder.send("arrive")
    assert recorder.instance.is_final
    return recorder.to_dict()


def test_the_same_machine_does_the_same_without_its_actions() -> None:
    found = replay(order(), recording())
    assert (found.events, found.state, found.is_same) == (4, "done", True)
    assert found.context["by"] == "van"
    assert replay(order(), EventRecorder.from_dict(recording(), order())).is_same


@pytest.mark.parametrize(
    ("machine", "index", "message"),
    [
        (changed(0, guards=[{"expr": "amount >= 5"}]), 0, "Event 1 ('pay') does something else than recorded: outcome"),
        (changed(0, guards=[{"expr": "amount >= 11"}]), 1, "outcome was 'accepted', is \"refused: Guard"),
        (
            changed(1, dest="done"),
            2,
            "Event 3 ('ship') does something else than recorded: state was 'shipped', is",
        ),
        (changed(1, actions=[]), 2, "plan was ['carrier'], is []"),
        (
            order(states=[one | ({"on_enter": []} if one["name"] == "paid" else {}) for one in ORDER["states"]]),
            1,
            "plan was ['_effect.increment'], is []",
        ),
        (changed(2, trigger="come"), 3, "Event 4 ('arrive')"),
    ],
)
def test_another_machine_is_told_by_its_first_other_event(machine: StateMachine, index: int, message: str) -> None:
    found = replay(machine, recording())
    assert found.divergence is not None
    assert (found.divergence.index, found.events) == (index, index)
    assert message in found.divergence.message
    with pytest.raises(ReplayDivergence) as caught:
        replay(machine, recording(), strict=True)
    assert caught.value.index == index


def test_effects_with_another_outcome_are_noticed() -> None:
    data = recording()
    data["events"][1]["changes"]["payments"] = 7
    found = replay(order(), data)
    assert found.divergence is not None
    assert "context['payments'] was 7, is 1" in found.divergence.message


def test_events_alone_are_compared_with_what_a_baseline_does() -> None:
    events = [{"trigger": "pay", "payload": {"amount": 10}}, {"trigger": "ship"}]
    assert replay(order(), events).is_same
    found = replay(changed(1, dest="done"), events, baseline=order())
    assert found.divergence is not None
    assert found.divergence.expected == "shipped"
    assert replay(order(), [{"trigger": "ship"}], state="paid").state == "shipped"


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_entities_in_stores_are_replayed(kind: str, tmp_path: Any) -> None:
    store: Any = InMemoryStateStore() if kind == "memory" else SQLiteStateStore(f"sqlite:///{tmp_path / 'x.db'}")
    if kind == "sqlite":
        store.connect()
    machine = changed(2, guards=[])
    orders = Orchestrator(machine, store, event_store=store)
    orders.process_event("o-1", "pay", {"amount": 10})
    orders.process_event("o-2", Event("pay", {"amount": 3}))
    for trigger, payload in (("pay", {"amount": 10}), ("ship", {}), ("pay", {"amount": 10}), ("arrive", {})):
        orders.process_event("o-2", Event(trigger, payload))
    assert store.get_state("o-2") == "done"
    found = replay_entity(machine, store, "o-2")
    assert (found.is_same, found.events, found.state) == (True, 5, "done")
    other = replay_entity(changed(2, guards=[], dest="paid"), store, "o-2")
    assert other.divergence is not None
    assert (other.divergence.index, other.divergence.actual) == (4, ("arrive", "shipped", "paid"))
    refusing = replay_entity(changed(1, guards=["never"]), store, "o-2")
    assert refusing.divergence is not None
    assert refusing.divergence.index == 2
    assert replay_entity(machine, store, "nobody").events == 0
    if kind == "sqlite":
        store.disconnect()
