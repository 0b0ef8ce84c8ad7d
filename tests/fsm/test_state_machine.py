"""Machines: building, and what events do."""

import copy
import pickle
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from spikard.fsm import (
    ConfigurationError,
    Event,
    GuardExecutionError,
    GuardNotFoundError,
    GuardRejectedError,
    InvalidTransitionError,
    State,
    StateMachine,
    StateMachineBuilder,
    StateType,
    TerminalStateError,
    Transition,
    TransitionResult,
    UndefinedStateError,
    UndefinedTriggerError,
    check_timeout,
)

ORDER: dict[str, Any] = {
    "meta": {"machine_name": "order", "version": "1.2.0"},
    "states": [
        {"name": "pending", "type": "initial", "on_exit": ["left"]},
        {"name": "open", "on_enter": ["notify"], "timeout": {"seconds": 5, "destination": "expired"}},
        {"name": "filled", "type": "terminal"},
        {"name": "expired", "type": "error"},
    ],
    "transitions": [
        {"trigger": "ack", "source": "pending", "dest": "open", "actions": ["store"], "description": "Taken"},
        {"trigger": "fill", "source": "open", "dest": "filled", "guards": ["is_full"]},
        {"trigger": "note", "source": "open", "dest": "open", "internal": True, "actions": ["write"]},
    ],
}
TREE: dict[str, Any] = {
    "states": [
        {"name": "out", "type": "initial"},
        {"name": "top", "initial_child": "a", "on_enter": ["e_top"], "on_exit": ["x_top"]},
        {"name": "a", "parent": "top", "initial_child": "a1", "on_enter": ["e_a"], "on_exit": ["x_a"]},
        {"name": "a1", "parent": "a", "on_enter": ["e_a1"], "on_exit": ["x_a1"]},
        {"name": "a2", "parent": "a", "on_enter": ["e_a2"], "on_exit": ["x_a2"]},
        {"name": "b", "parent": "top", "on_enter": ["e_b"], "on_exit": ["x_b"]},
    ],
    "transitions": [
        {"trigger": "enter", "source": "out", "dest": "top"},
        {"trigger": "leave", "source": "top", "dest": "out"},
        {"trigger": "next", "source": "a1", "dest": "a2"},
        {"trigger": "side", "source": "a", "dest": "b"},
        {"trigger": "again", "source": "a", "dest": "a"},
        {"trigger": "back", "source": "out", "dest": "H(top)"},
        {"trigger": "deep", "source": "out", "dest": "H*(top)"},
    ],
}


@pytest.fixture
def order() -> StateMachine:
    machine = StateMachine.from_dict(ORDER)
    machine.guard("is_full")(lambda context: context.get("qty", 0) >= 10)
    return machine


def test_a_step_is_a_plan_and_nothing_is_done(order: StateMachine) -> None:
    result = order.process("pending", "ack", {})
    assert (result.success, result.source_state, result.target_state, result.trigger) == (
        True,
        "pending",
        "open",
        "ack",
    )
    assert result.all_actions == ("left", "store", "notify")
    assert result.error is None
    assert result.metadata == {"transition_description": "Taken"}
    assert result.state_changed
    assert not result.is_self_transition


def test_guards_decide_and_are_recorded(order: StateMachine) -> None:
    refused = order.process("open", "fill", {"qty": 3})
    assert not refused.success
    assert isinstance(refused.error, GuardRejectedError)
    assert refused.error.code.value == "guard_rejected"
    assert refused.error.message == "Guard 'is_full' failed for trigger 'fill' from state 'open'"
    assert refused.error.context["candidate_count"] == 1
    guards = [{"name": "is_full", "kind": "name", "passed": False}]
    assert refused.metadata == {"reason": "guards_failed", "guard_name": "is_full", "guards": guards}
    assert order.process("open", "fill", {"qty": 10}).metadata["guards"][0]["passed"]


def test_guards_see_the_event_and_its_payload(order: StateMachine) -> None:
    seen: list[Mapping[str, Any]] = []
    order.guard("is_full")(lambda context: seen.append(context) or True)
    context = {"qty": 1}
    assert order.process("open", Event("fill", {"qty": 4}), context).success
    assert seen[0]["qty"] == 4
    assert seen[0]["_event"].payload == {"qty": 4}
    assert context == {"qty": 1}


def test_internal_transitions_stay(order: StateMachine) -> None:
    result = order.process("open", "note")
    assert result.all_actions == ("write",)
    assert result.metadata == {"internal": True}
    assert result.is_self_transition


@pytest.mark.parametrize(
    ("state", "trigger", "kind"),
    [
        ("filled", "ack", TerminalStateError),
        ("open", "ack", InvalidTransitionError),
        ("open", "unheard", UndefinedTriggerError),
    ],
)
def test_what_does_not_fit_is_a_failure(order: StateMachine, state: str, trigger: str, kind: type[Exception]) -> None:
    result = order.process(state, trigger, {})
    assert not result.success
    assert type(result.error) is kind
    assert result.target_state is None


def test_an_undefined_trigger_names_those_there_are(order: StateMachine) -> None:
    assert order.process("open", "unheard").error.available_triggers == ["ack", "fill", "note"]


def test_an_undefined_state_and_an_empty_trigger_raise(order: StateMachine) -> None:
    with pytest.raises(UndefinedStateError, match="State 'nowhere' is not defined"):
        order.process("nowhere", "ack")
    with pytest.raises(ValueError, match="Event trigger cannot be empty"):
        order.process("open", "")


def test_a_lenient_machine_ignores_what_does_not_fit() -> None:
    config = {**ORDER, "meta": {"strict_mode": False, "event_normalizer": "upper"}}
    machine = StateMachine.from_dict(config)
    result = machine.process("pending", "unheard")
    assert (result.success, result.target_state, result.trigger) == (True, "pending", "UNHEARD")
    assert result.metadata == {"no_op": True, "reason": "no_matching_transition"}
    assert machine.process("open", "fill", {}).success  # a guard that nobody registered passes


def test_guards_that_cannot_answer(order: StateMachine) -> None:
    strict = StateMachine.from_dict(ORDER)
    with pytest.raises(GuardNotFoundError, match="Guard 'is_full' not registered"):
        strict.process("open", "fill")

    @order.guard("is_full")
    async def later(context: dict[str, Any]) -> bool:
        return True

    with pytest.raises(GuardExecutionError, match="is async"):
        order.process("open", "fill")
    assert not order.can_transition("open", "fill")


async def test_asynchronous_guards_are_awaited_once(order: StateMachine) -> None:
    calls = []

    @order.guard("is_full")
    async def later(context: dict[str, Any]) -> bool:
        calls.append(context)
        return True

    assert (await order.aprocess("open", "fill", {})).success
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("state", "trigger", "target", "exits", "enters"),
    [
        ("out", "enter", "a1", [], ["e_top", "e_a", "e_a1"]),
        ("a2", "leave", "out", ["x_a2", "x_a", "x_top"], []),
        ("a1", "next", "a2", ["x_a1"], ["e_a2"]),
        ("a2", "side", "b", ["x_a2", "x_a"], ["e_b"]),
        ("a2", "again", "a1", ["x_a2"], ["e_a1"]),
        ("a1", "again", "a1", [], []),
    ],
)
def test_what_is_left_and_entered(state: str, trigger: str, target: str, exits: list[str], enters: list[str]) -> None:
    result = StateMachine.from_dict(TREE).process(state, trigger)
    assert result.target_state == target
    assert [action.name for action in result.on_exit_actions] == exits
    assert [action.name for action in result.on_enter_actions] == enters


def test_a_transition_to_where_one_is_can_leave_and_enter() -> None:
    machine = StateMachine.from_dict({**TREE, "meta": {"self_transition": "reenter"}})
    result = machine.process("a1", "again")
    assert result.all_actions == ("x_a1", "x_a", "e_a", "e_a1")


def test_history_belongs_to_who_asks() -> None:
    machine = StateMachine.from_dict(TREE)
    left = machine.process("a2", "leave").metadata["_history_updates"]
    assert left == {"a": "a2", "top": "a"}
    assert machine.process("out", "back", history=left).target_state == "a1"
    assert machine.process("out", "deep", history=left).target_state == "a2"
    assert machine.process("out", "deep").target_state == "a1"
    machine.apply_history(machine.process("a2", "leave"))
    assert machine.process("out", "deep").target_state == "a2"
    assert machine.process("out", "deep", history={}).target_state == "a1"


def test_choices_are_followed_through_each_other() -> None:
    machine = StateMachine(
        {
            "start": State("start", StateType.INITIAL),
            **{f"c{number}": State(f"c{number}", StateType.CHOICE) for number in range(20)},
            "end": State("end"),
            "other": State("other"),
        },
        [
            Transition.from_single_source("go", "start", "c10"),
            *(Transition.from_single_source("go", f"c{number}", f"c{number + 1}") for number in range(19)),
            Transition.from_single_source("go", "c19", "end"),
            Transition.from_single_source("far", "start", "c0"),
            *(Transition.from_single_source("far", f"c{number}", f"c{number + 1}") for number in range(19)),
            Transition.from_single_source("far", "c19", "end"),
            Transition.from_single_source("far", "start", "other"),
        ],
    )
    assert machine.process("start", "go").target_state == "end"
    # More than sixteen choices lead nowhere, so the next candidate is tried.
    assert machine.process("start", "far").target_state == "other"


def test_candidates_are_tried_by_priority_then_as_written() -> None:
    machine = (
        StateMachineBuilder("order")
        .add_state("a", type="initial")
        .add_state("b")
        .add_transition("go", "a", "b", actions=["late"], priority=5)
        .add_transition("go", "a", "b", actions=["first"], priority=-1)
        .add_transition("go", "*", "b", actions=["any"])
        .build()
    )
    assert machine.process("a", "go").all_actions == ("first",)
    assert machine.process("b", "go").all_actions == ("any",)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "At least one state is required"),
        ({"states": [{"name": "a"}]}, "No initial state defined"),
        ({"states": [{"name": n, "type": "initial"} for n in "ab"]}, "Multiple root initial states"),
        ({"states": [{"name": "a", "type": "wow"}]}, "'wow' is not a valid StateType"),
        ({"states": [{"name": "A", "type": "initial"}]}, "State name must contain only lowercase"),
        ({"states": [{"name": "a", "parent": "b"}]}, "State 'a' references unknown parent 'b'"),
        ({"states": [{"name": "a", "parent": "a"}]}, "Cycle in parent chain involving state 'a'"),
        (
            {
                "states": [{"name": "a", "type": "initial"}],
                "transitions": [{"trigger": "t", "source": "z", "dest": "a"}],
            },
            "undefined source state: z",
        ),
        (
            {
                "states": [{"name": "a", "type": "initial"}],
                "transitions": [{"trigger": "t", "source": "a", "dest": "z"}],
            },
            "undefined destination state: z",
        ),
        (
            {"states": [{"name": "a", "type": "initial"}], "transitions": [{"source": "a", "dest": "a"}]},
            "'trigger', 'after', or 'auto: true'",
        ),
    ],
)
def test_what_cannot_be_built_says_why(config: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        StateMachine.from_dict(config)


def test_hostile_machines_end() -> None:
    count = 10_000
    chain = [{"name": "s0", "type": "initial"}]
    chain.extend({"name": f"s{number}", "parent": f"s{number - 1}"} for number in range(1, count))
    for number in range(count - 1):
        chain[number]["initial_child"] = f"s{number + 1}"
    config = {"states": chain, "transitions": [{"trigger": "t", "source": "s0", "dest": "s0"}]}
    machine = StateMachine.from_dict(config)
    assert machine.initial_leaf == f"s{count - 1}"
    assert machine.process(machine.initial_leaf, "t").target_state == machine.initial_leaf
    chain[0] = {"name": "s0", "type": "initial", "parent": f"s{count - 1}"}
    with pytest.raises(ConfigurationError, match="Cycle in parent chain"):
        StateMachine.from_dict(config)


def test_automatic_cycles_are_cut_and_reported() -> None:
    config = {
        "states": [{"name": "a", "type": "initial"}, {"name": "b"}],
        "transitions": [{"auto": True, "source": "a", "dest": "b"}, {"auto": True, "source": "b", "dest": "a"}],
    }
    results = StateMachine.from_dict(config).evaluate_post_transition("a", {})
    assert len(results) == 20
    assert results[-1].metadata["auto_depth_exceeded"] is True


def test_a_definition_makes_an_equal_machine_again(order: StateMachine) -> None:
    again = StateMachine.from_dict(order.to_dict())
    assert again.to_dict() == order.to_dict()
    assert again.fingerprint == order.fingerprint
    assert again.transitions == order.transitions
    assert dict(again.states) == dict(order.states)
    assert StateMachine.from_dict({**ORDER, "meta": {}}).fingerprint != order.fingerprint


def test_results_are_values(order: StateMachine) -> None:
    result = order.process("pending", "ack")
    assert result == pickle.loads(pickle.dumps(result)) == copy.copy(result)
    refused = order.process("filled", "ack")
    assert refused == TransitionResult.failure_result("filled", "ack", refused.error, {"reason": "terminal_state"})
    assert repr(result).startswith("TransitionResult(success=True, source_state='pending', target_state='open'")
    with pytest.raises(AttributeError, match="success"):
        result.success = False  # type: ignore[misc]
    with pytest.raises(TypeError):
        hash(result)
    no_op = TransitionResult.no_op_result("open", "note")
    assert (no_op.success, no_op.target_state) == (True, "open")
    assert no_op.metadata == {"no_op": True, "reason": "no_matching_transition"}


def test_destinations_are_explained(order: StateMachine) -> None:
    found = order.evaluate_destination("open", "filled", {"qty": 1})
    assert (found.allowed, found.candidate_count, found.passing_count) == (False, 1, 0)
    assert found.candidates[0].reason == "guard_rejected"
    assert order.can_transition_to("open", "filled", {"qty": 10})
    assert order.evaluate_destination("open", "gone").metadata == {"reason": "undefined_destination"}
    assert order.evaluate_destination("open", "pending").metadata == {"reason": "no_transition_to_destination"}


def test_enabled_triggers_say_what_would_happen(order: StateMachine) -> None:
    found = order.enabled_triggers("open", {"qty": 1})
    assert {name: result.success for name, result in found.items()} == {"fill": False, "note": True}


def test_timeouts_lead_out(order: StateMachine) -> None:
    now = datetime.now(UTC)
    assert check_timeout(order, "open", now) is None
    assert check_timeout(order, "pending", now - timedelta(days=1)) is None
    result = check_timeout(order, "open", now - timedelta(seconds=6))
    assert result is not None
    assert (result.target_state, result.trigger) == ("expired", "_timeout_open")
