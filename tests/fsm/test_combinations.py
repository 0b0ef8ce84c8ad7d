"""Features of machines where they meet: stars with choices, regions with compounds, ends with automatic steps."""

from typing import Any

import pytest

from spikard.fsm import ActionSpec, ConfigurationError, Event, StateMachine, validate_config

INITIAL = {"name": "a", "type": "initial"}


def machine(states: list[Any], transitions: list[Any], **root: Any) -> StateMachine:
    return StateMachine.from_dict({"states": [INITIAL, *states], "transitions": transitions, **root})


def rule(trigger: str, source: Any, dest: str, **more: Any) -> dict[str, Any]:
    return {"trigger": trigger, "source": source, "dest": dest, **more}


@pytest.mark.parametrize("way", [{"auto": True}, {"trigger": "leave"}])
def test_what_ends_inside_a_state_lets_the_state_go_on(way: dict[str, Any]) -> None:
    flow = machine(
        [
            {"name": "work", "initial_child": "step"},
            {"name": "step", "parent": "work"},
            {"name": "done", "type": "terminal", "parent": "work"},
            {"name": "next", "when": [{"field": "good", "op": "eq", "value": True}]},
        ],
        [
            rule("go", "a", "work"),
            rule("finish", "step", "done"),
            {"source": "work", "dest": "next", "guards": [{"expr": "good"}], **way},
        ],
        meta={"classification": {"auto_route": True}},
    )
    session = flow.create(context={"good": False})
    session.send("go")
    session.send("finish")
    assert session.current_state == "done"
    session = flow.create(context={"good": False})
    session.send("go")
    session.send("finish", good=True)
    assert session.current_state == "next"


@pytest.mark.parametrize(("timing", "trigger"), [({"auto": True}, "_auto_*"), ({"after": 100}, "_after_*_100_ms")])
@pytest.mark.parametrize("source", ["*", ["*"]])
def test_a_star_is_one_source_of_a_rule_without_a_trigger(timing: dict[str, Any], trigger: str, source: Any) -> None:
    config = {
        "states": [INITIAL, {"name": "b"}, {"name": "end", "type": "terminal"}],
        "transitions": [{"source": source, "dest": "end", **timing}],
    }
    assert validate_config(config, strict=False) == []
    built = StateMachine.from_dict(config)
    assert built.trigger_names == [trigger]
    assert built.transitions[0].source == {"a", "b"}


def test_a_delayed_rule_is_named_by_its_delay_even_if_it_is_automatic() -> None:
    built = machine([{"name": "b"}], [{"source": "a", "dest": "b", "auto": True, "after": "5s"}])
    assert built.trigger_names == ["_after_a_5000_ms"]


def test_a_star_beside_other_sources_is_a_name_of_no_state() -> None:
    config = {"states": [INITIAL, {"name": "b"}], "transitions": [rule("go", ["*", "a"], "b")]}
    assert validate_config(config, strict=False) == ["Transition 'go': source state '*' not defined"]
    with pytest.raises(ConfigurationError, match=r"\*"):
        StateMachine.from_dict(config)


def test_a_rule_from_everywhere_into_a_choice_is_no_way_out_of_it() -> None:
    built = machine(
        [{"name": "fork", "type": "choice"}, {"name": "b"}],
        [
            rule("go", "*", "fork"),
            rule("go", "fork", "b", guards=[{"check": {"field": "x", "op": "eq", "value": 1}}]),
        ],
    )
    assert built.process("a", "go", {"x": 1}).target_state == "b"
    assert not built.process("a", "go", {"x": 2}).success


def regions(*rules: dict[str, Any], states: tuple[str, ...] = ("x", "y")) -> StateMachine:
    region = {"name": "r", "initial": states[0], "states": list(states)}
    return machine(
        [
            {"name": "p", "type": "parallel", "regions": [region]},
            {"name": "x", "initial_child": "x1", "on_enter": "in_x", "on_exit": "out_x"},
            {"name": "x1", "parent": "x", "on_enter": "in_x1"},
            {"name": "y", "on_exit": "out_y"},
            {"name": "fork", "type": "choice"},
        ],
        [rule("go", "a", "p"), rule("t", "x", "y", region="r"), *rules],
    )


def test_a_region_comes_back_to_the_state_that_it_began_in() -> None:
    built = regions(rule("back", "y", "x", region="r"))
    before = built.enter_parallel_state("p")
    config, _ = built.process_parallel(before, "t", {})
    config, (result,) = built.process_parallel(config, "back", {})
    assert config == before
    assert (result.target_state, result.all_actions) == ("x", ("out_y", "in_x"))
    assert built.process_parallel(config, "t", {})[0].get_region_state("r") == "y"


def test_a_region_that_leads_out_of_itself_leads_to_a_leaf() -> None:
    built = regions(rule("leave", "y", "x", region="r"), states=("y",))
    _, (result,) = built.process_parallel(built.enter_parallel_state("p"), "leave", {})
    assert result.target_state == "x1"


@pytest.mark.parametrize("region", ["r", None])
def test_a_choice_in_a_region_has_ways_out_in_the_region_and_of_none(region: str | None) -> None:
    built = regions(
        rule("t", "y", "fork", region="r"),
        rule("t", "fork", "x", **({"region": region} if region else {})),
    )
    config = built.enter_parallel_state("p").with_region_state("r", "y")
    after, _ = built.process_parallel(config, "t", {})
    assert after.to_string() == "p:r=x"


@pytest.mark.parametrize("guard", [{"expr": "_event.payload.x > 1"}, {"expr": "_event.trigger == 'go' and x > 1"}])
def test_conditions_see_the_event(guard: dict[str, Any]) -> None:
    built = machine([{"name": "b"}], [rule("go", "a", "b", guards=[guard])])
    assert built.process("a", Event("go", {"x": 2}), {}).success
    assert not built.process("a", Event("go", {"x": 1}), {"x": 5}).success
    assert built.create().send("go", x=2).success


def test_a_list_of_values_is_what_elements_are_looked_for_in() -> None:
    check = {"field": "n", "op": "in", "value": [1, 2]}
    built = machine([{"name": "b"}], [rule("go", "a", "b", guards=[{"check": check}])])
    assert not built.process("a", "go", {"n": 1}).success
    del check["value"]
    built = machine([{"name": "b"}], [rule("go", "a", "b", guards=[{"check": {**check, "values": [1, 2]}}])])
    assert built.process("a", "go", {"n": 1}).success


@pytest.mark.parametrize(
    ("action", "name"),
    [
        ({"timestamp": "at", "set": {"x": 1}}, "_effect.set"),
        ({"clear": "x", "decrement": "n", "increment": "n"}, "_effect.increment"),
        ({"set": {"x": 1}, "code": "ctx['x'] = 1"}, "_code"),
        ({"name": "n", "http": {"url": "http://localhost/"}}, "n"),
        ({"name": "n", "custom": {"name": "c"}}, "c"),
    ],
)
def test_an_action_with_several_keys_is_the_same_in_every_process(action: dict[str, Any], name: str) -> None:
    assert ActionSpec.from_config(action).name == name


@pytest.mark.parametrize(
    "wrong",
    [
        {"transitions": [rule("go", "a", "a", guards=[{"name": 5}])]},
        {"transitions": [rule("go", "a", "a", guards=[{"check": {"field": 5, "op": "is_set"}}])]},
        {"transitions": [rule("go", "a", "a", actions={})]},
        {"transitions": [rule("go", "a", "a", actions="")]},
        {"meta": {"event_normalizer": 5}},
        {"meta": {"classification": "yes"}},
        {"states": [{"name": "a", "type": "initial"}, {"name": "b", "type": None}]},
    ],
)
def test_what_cannot_be_read_is_a_fault_of_the_configuration(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        StateMachine.from_dict({"states": [INITIAL], "transitions": [], **wrong})
