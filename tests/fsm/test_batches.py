"""Many entities at once, and what machines say of themselves."""

import gc
import hashlib
import weakref
from typing import Any

import pytest

from spikard.fsm import Event, StateMachine, UndefinedStateError

STOCK: dict[str, Any] = {
    "meta": {"machine_name": "stock"},
    "states": [
        {"name": "few", "type": "initial"},
        {"name": "many"},
        {"name": "hall", "initial_child": "shelf"},
        {"name": "shelf", "parent": "hall"},
        {"name": "table", "parent": "hall"},
        {"name": "gone", "type": "terminal"},
    ],
    "transitions": [
        {"trigger": "count", "source": "few", "dest": "many", "guards": [{"expr": "qty > 10 and order.paid"}]},
        {
            "trigger": "count",
            "source": "few",
            "dest": "gone",
            "guards": [{"check": {"field": "a.b", "op": "eq", "value": 1}}],
        },
        {"trigger": "move", "source": "many", "dest": "H(hall)"},
        {"trigger": "leave", "source": "hall", "dest": "few", "guards": [{"expr": "in_state('table')"}]},
        {"trigger": "walk", "source": "shelf", "dest": "table", "guards": [{"expr": "in_state('hall')"}]},
    ],
}


def _questions() -> tuple[list[str], list[Any], list[Any]]:
    asked: list[tuple[str, Any, Any]] = [
        ("few", "count", {"qty": 11, "order": {"paid": True}}),
        ("few", Event("count", {"qty": 12}), {"qty": 1, "order": {"paid": 1}}),
        ("few", "count", {"qty": 11, "order": {"paid": False}}),
        ("few", "count", {"a.b": 1, "a": {"b": 2}}),
        ("few", "count", {"a": {"b": 1}}),
        ("few", "count", None),
        ("many", "move", {}),
        ("shelf", "leave", {}),
        ("table", "leave", {}),
        ("gone", "count", {}),
        ("few", "unheard", {}),
        ("many", "count", {}),
    ]
    states, events, contexts = zip(*asked, strict=True)
    return list(states), list(events), list(contexts)


@pytest.mark.parametrize("repeats", [1, 2000])
def test_a_batch_is_what_single_events_are(repeats: int) -> None:
    machine = StateMachine.from_dict(STOCK)
    machine.apply_history(machine.process("table", "leave"))
    states, events, contexts = _questions()
    alone = [machine.process(*each) for each in zip(states, events, contexts, strict=True)]
    assert [result.target_state for result in alone] == [
        "many", "many", None, "gone", "gone", None, "table", None, "few", None, None, None
    ]  # fmt: skip
    together = machine.process_many(states * repeats, events * repeats, contexts * repeats)
    assert [result.target_state for result in together] == [result.target_state for result in alone] * repeats
    for one, other in zip(alone, together[-len(alone) :], strict=True):
        assert (one.success, one.trigger, one.metadata) == (other.success, other.trigger, other.metadata)
        assert str(one.error) == str(other.error)


def test_a_batch_asks_guards_of_python() -> None:
    config = {
        "states": [{"name": "a", "type": "initial"}, {"name": "b"}],
        "transitions": [{"trigger": "go", "source": "a", "dest": "b", "guards": ["odd"]}],
    }
    machine = StateMachine.from_dict(config)
    machine.guard("odd")(lambda context: context["n"] % 2 == 1)
    results = machine.process_many(["a"] * 4, ["go"] * 4, [{"n": n} for n in range(4)])
    assert [result.success for result in results] == [False, True, False, True]


def test_a_batch_says_what_is_wrong_with_it() -> None:
    machine = StateMachine.from_dict(STOCK)
    with pytest.raises(UndefinedStateError, match="nowhere"):
        machine.process_many(["few", "nowhere"], ["count"] * 2, [None] * 2)
    with pytest.raises(ValueError, match="2 states, 1 events and 2 contexts"):
        machine.process_many(["few", "few"], ["count"], [None, None])


def test_guards_of_regions_know_where_the_others_are() -> None:
    config = {
        "states": [
            {"name": "start", "type": "initial"},
            {
                "name": "work",
                "type": "parallel",
                "regions": [
                    {"name": "r1", "initial": "a1", "states": ["a1", "a2"]},
                    {"name": "r2", "initial": "b1", "states": ["b1", "b2"]},
                ],
            },
            *({"name": name, "parent": "work"} for name in ("a1", "a2", "b1", "b2")),
        ],
        "transitions": [
            {"trigger": "one", "source": "a1", "dest": "a2", "region": "r1", "guards": [{"expr": "in_state('b2')"}]},
            {"trigger": "two", "source": "b1", "dest": "b2", "region": "r2", "guards": [{"expr": "in_state('work')"}]},
        ],
    }
    machine = StateMachine.from_dict(config)
    before = machine.enter_parallel_state("work")
    assert machine.process_parallel(before, "one") == (before, [])
    between, _ = machine.process_parallel(before, "two")
    after, _ = machine.process_parallel(between, "one")
    assert after.to_string() == "work:r1=a2,r2=b2"
    assert before.to_string() == "work:r1=a1,r2=b1"


def test_fingerprints_are_of_canonical_json() -> None:
    config: dict[str, Any] = {
        "meta": {"machine_name": "m", "limit": 1e21, "share": 1.0, "\U0001f600": "\u20ac", "\ufb33": "\n"},
        "states": [{"name": "a", "type": "initial"}],
        "transitions": [],
    }
    text = (
        '{"meta":{"limit":1e+21,"machine_name":"m","share":1,"strict_mode":true,"validate_context":false,'
        '"\U0001f600":"\u20ac","\ufb33":"\\n"},"states":[{"name":"a","type":"initial"}],"transitions":[]}'
    )
    assert StateMachine.from_dict(config).fingerprint == hashlib.sha256(text.encode()).hexdigest()


def test_callbacks_are_heard_of_by_sessions_that_are_there_already() -> None:
    machine = StateMachine.from_dict(STOCK)
    session = machine.create(initial_state="shelf")
    session.send("walk")
    heard: list[dict[str, Any]] = []
    machine.on_enter("few")(heard.append)
    session.send("leave", by="ann")
    assert heard == [{"by": "ann"}]


def test_sessions_that_hold_themselves_are_collected() -> None:
    session = StateMachine.from_dict(STOCK).create(context={"qty": 1})
    session.context["me"] = session
    gone = weakref.ref(session)
    del session
    gc.collect()
    assert gone() is None
