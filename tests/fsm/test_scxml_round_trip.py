"""Machines written as SCXML and read again: in what both ways of running have in common they do the same."""

import pickle
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from spikard.fsm import ChartSession, SimulatedClock, Statechart, StateMachine, to_scxml

STATES = ["a", "b", "c", "d"]
EVENTS = ["go", "stop", "turn"]
GUARDS: list[Any] = [
    {"expr": "n % 2 == 0"},
    {"check": {"field": "n", "op": "gt", "value": 1}},
    {"not": {"check": {"field": "missing", "op": "is_set"}}},
    {"anyOf": ["is_small", {"expr": "n > 3 and text != '<&\"'"}]},
    "is_small",
]
ACTIONS: list[Any] = [
    {"increment": "n"},
    {"compute": {"n": "n * 2", "m": "n + 1"}},
    {"append": {"field": "log", "value": {"k": ["x", None, True, 1.5]}}},
    {"set": {"text": "<a href=\"x\">'&'</a>"}},
    {"clear": "m"},
    {"branch": {"when": "n > 2", "then": [{"decrement": "n"}], "else": [{"set": {"low": True}}]}},
    {"increment": "n", "when": {"field": "n", "op": "lt", "value": 10}},
]

some = st.lists(st.sampled_from(ACTIONS), max_size=2)
rules = st.lists(
    st.fixed_dictionaries(
        {
            "trigger": st.sampled_from(EVENTS),
            "source": st.sampled_from(STATES),
            "dest": st.sampled_from(STATES),
            "guards": st.lists(st.sampled_from(GUARDS), max_size=2),
            "actions": some,
            "priority": st.integers(0, 2),
            "internal": st.booleans(),
        }
    ),
    max_size=10,
)


def _is_small(context: dict[str, Any]) -> bool:
    return bool(context["n"] < 3)


def _register(machine: StateMachine) -> StateMachine:
    machine.guard("is_small")(_is_small)
    return machine


@settings(deadline=None)
@given(rules, st.lists(some, min_size=4, max_size=4), st.lists(st.sampled_from(EVENTS), max_size=12))
def test_a_flat_machine_does_the_same_in_both_ways(
    transitions: list[dict[str, Any]], handlers: list[list[Any]], events: list[str]
) -> None:
    states = [{"name": name, "on_enter": handlers[at], "on_exit": handlers[-at]} for at, name in enumerate(STATES)]
    states[0]["type"] = "initial"
    config = {"meta": {"strict_mode": False}, "states": states, "transitions": transitions}
    context: dict[str, Any] = {"n": 1, "text": ""}
    chart = _register(StateMachine.from_scxml(to_scxml(config)))
    # A chart enters its first state, where a plain session just is in it.
    config["states"] = [{"name": "begin", "type": "initial"}, *({**state, "type": "stable"} for state in states)]
    config["transitions"] = [*transitions, {"trigger": "begin", "source": "begin", "dest": "a"}]
    plain = _register(StateMachine.from_dict(config)).create(context=context, execute_actions=True)
    plain.send("begin")
    session = chart.create(context=context)
    for event in events:
        assert session.current_state == plain.current_state
        assert session.context == {key: value for key, value in plain.context.items() if key != "new_status"}
        plain.send(event)
        session.send(event)
    assert session.current_state == plain.current_state


NESTED: dict[str, Any] = {
    "meta": {"machine_name": "player"},
    "states": [
        {"name": "off", "type": "initial"},
        {"name": "on", "initial_child": "stopped"},
        {"name": "stopped", "parent": "on"},
        {"name": "playing", "parent": "on", "timeout": {"seconds": 2.5, "destination": "stopped"}},
        {"name": "both", "type": "parallel", "regions": [
            {"name": "left", "initial": "l1", "states": ["l1", "l2"], "final": "l2"},
            {"name": "right", "initial": "r1", "states": ["r1", "r2"], "final": "r2"},
        ]},
        {"name": "l1"}, {"name": "l2"}, {"name": "r1"}, {"name": "r2"},
        {"name": "done", "type": "terminal"},
    ],
    "transitions": [
        {"trigger": "power", "source": "off", "dest": "H(on)"},
        {"trigger": "power", "source": "on", "dest": "off"},
        {"trigger": "play", "source": "stopped", "dest": "playing"},
        {"after": "10s", "source": "stopped", "dest": "off"},
        {"trigger": "split", "source": "on", "dest": "both"},
        {"trigger": "next", "source": "l1", "dest": "l2", "region": "left"},
        {"trigger": "next", "source": "r1", "dest": "r2", "region": "right", "guards": [{"expr": "ready"}]},
        {"trigger": "_join_both", "source": "both", "dest": "done"},
    ],
}  # fmt: skip


def test_nesting_history_regions_and_time() -> None:
    clock = SimulatedClock()
    session = StateMachine.from_scxml(to_scxml(NESTED)).create(context={"ready": False}, clock=clock)
    assert isinstance(session, ChartSession)
    session.send("power")
    session.send("play")
    session.send("power")
    session.send("power")
    assert session.leaves == ["playing"]
    clock.advance(2.5)
    session.fire_due()
    assert session.leaves == ["stopped"]
    clock.advance(9)
    session.send("play")
    clock.advance(1.5)
    session.fire_due()
    assert session.leaves == ["playing"]
    session.send("split")
    session.send("next")
    assert session.leaves == ["l2", "r1"]
    session.update(ready=True)
    session.send("next")
    assert (session.current_state, session.is_final) == ("done", True)


def test_a_configuration_may_ask_for_charts() -> None:
    config = {**NESTED, "meta": {"machine_name": "player", "version": "2", "semantics": "scxml"}}
    machine = StateMachine.from_dict(config)
    assert isinstance(machine, Statechart)
    assert (machine.name, machine.version) == ("player", "2")
    assert machine.to_dict() == config
    for same in (StateMachine.from_dict(machine.to_dict()), pickle.loads(pickle.dumps(machine))):
        assert same.fingerprint == machine.fingerprint
        assert same.to_dict() == config
    session = machine.create(context={"ready": True})
    session.send("power")
    session.send("split")
    session.send("next")
    assert session.is_final


def test_events_that_actions_raise_and_send() -> None:
    config = {
        "meta": {"semantics": "scxml"},
        "states": [
            {"name": "a", "type": "initial", "on_enter": [{"send": {"event": "late", "delay": "1s", "id": "l"}}]},
            {"name": "b", "on_enter": [{"raise": "more"}]},
            {"name": "c", "on_enter": [{"cancel": "l"}, "tell", {"name": "tell", "params": {"k": 1}}]},
            {"name": "late", "type": "error"},
        ],
        "transitions": [
            {"trigger": "go", "source": "a", "dest": "b"},
            {"trigger": "more", "source": "b", "dest": "c"},
            {"trigger": "late", "source": "*", "dest": "late"},
        ],
    }
    machine = StateMachine.from_dict(config)
    told: list[Any] = []

    @machine.action("tell")
    def tell(context: dict[str, Any], *, k: int = 0) -> None:
        told.append((k, context["new_status"]))

    session = machine.create(execute_actions=True)
    result = session.send("go")
    assert isinstance(session, ChartSession)
    assert (session.current_state, session.next_due) == ("c", None)
    assert [spec.name for spec in result.actions_to_execute] == ["tell", "tell"]
    assert told == [(0, "c"), (1, "c")]
