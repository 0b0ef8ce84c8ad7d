"""What programs written for PyStator lean on beside machines themselves: derived classes, texts, contexts."""

import copy
import dataclasses
import pickle
from typing import Any
from unittest import mock

import pytest

from spikard.fsm import (
    ActionExecutor,
    ActionRegistry,
    ActionSpec,
    ConfigLoader,
    ConfigurationError,
    Event,
    FSMError,
    StateMachine,
    Transition,
    TransitionResult,
    UndefinedStateError,
    lint,
    parse_machine,
    resolve_submachines,
)

SMALL: dict[str, Any] = {
    "states": [{"name": "a", "type": "initial"}, {"name": "b"}],
    "transitions": [{"trigger": "update", "source": "a", "dest": "b"}],
}


@dataclasses.dataclass(frozen=True)
class Placed(Event):
    shop: str = "north"


class Loud(Event):
    def shout(self) -> str:
        return self.trigger.upper()


def test_events_may_be_derived_from() -> None:
    placed = Placed("update", {"n": 1}, shop="south")
    assert (placed.shop, placed["n"], placed.event_id == placed.event_id) == ("south", 1, True)
    assert placed.timestamp.tzinfo is not None
    assert StateMachine.from_dict(SMALL).process("a", placed).target_state == "b"
    for again in (copy.copy(placed), copy.deepcopy(placed), pickle.loads(pickle.dumps(placed))):
        assert (again, type(again)) == (placed, Placed)
    with pytest.raises(ValueError, match="Event trigger cannot be empty"):
        Placed("")
    with pytest.raises(dataclasses.FrozenInstanceError):
        placed.event_id = placed.event_id  # type: ignore[misc]
    loud = pickle.loads(pickle.dumps(Loud("go")))
    assert (loud.shout(), repr(loud).split("(")[0]) == ("GO", "Loud")
    same = Event(loud.trigger, loud.payload, loud.event_id, loud.timestamp)
    assert loud != same
    assert same == Event(loud.trigger, loud.payload, loud.event_id, loud.timestamp)


def test_results_and_events_are_taken_apart() -> None:
    class Marked(TransitionResult):
        def mark(self) -> str:
            return f"{self.source_state}>{self.target_state}"

    match TransitionResult.success_result("a", "b", "go"):
        case TransitionResult(True, source, target):
            assert (source, target) == ("a", "b")
    match Event("go", {"n": 1}):
        case Event(trigger, payload):
            assert (trigger, payload) == ("go", {"n": 1})
    assert Marked(True, "a", "b", "go").mark() == "a>b"


def test_a_definition_that_cannot_be_built_comes_with_its_error() -> None:
    config: dict[str, Any] = {"states": [], "transitions": []}
    with pytest.raises(ConfigurationError, match="At least one state is required") as caught:
        StateMachine.from_dict(config)
    assert caught.value.context["config"] is config
    states = [{"name": f"state_{number}", "type": "initial" if number == 0 else "stable"} for number in range(200)]
    with pytest.raises(ConfigurationError, match="must have either 'trigger'") as caught:
        StateMachine.from_dict({"states": states, "transitions": [{"source": "state_0", "dest": "state_1"}]})
    assert len(str(caught.value)) < 1000
    assert str(FSMError("x", {"errors": ["e" * 2000]})).count("e") > 2000


@pytest.mark.parametrize("lost", ["name", "source"])
def test_a_missing_key_is_both_errors(lost: str) -> None:
    config = copy.deepcopy(SMALL)
    for item in (config["states"][1], config["transitions"][0]):
        item.pop(lost, None)
    with pytest.raises(KeyError) as caught:
        StateMachine.from_dict(config)
    assert isinstance(caught.value, ConfigurationError)
    assert caught.value.message == f"The key '{lost}' is missing"


def test_a_trigger_of_the_name_of_our_addition_is_a_trigger() -> None:
    session = StateMachine.from_dict(SMALL).create()
    assert session.update(n=1).target_state == "b"
    assert (session.current_state, session.context) == ("b", {})
    other = StateMachine.from_dict({**SMALL, "transitions": []}).create()
    assert other.update(n=1) is None
    assert other.context == {"n": 1}


def test_what_is_no_text_is_no_state() -> None:
    with pytest.raises(UndefinedStateError, match="State 'None' is not defined"):
        StateMachine.from_dict(SMALL).process(None, "update")  # type: ignore[arg-type]


def test_parts_say_what_they_need() -> None:
    with pytest.raises(ValueError, match="at least one source"):
        Transition("t", None, "b")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="destination cannot be empty"):
        Transition("t", frozenset({"a"}), None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="custom action requires non-empty name"):
        ActionSpec.from_config({"custom": {}})
    with pytest.raises(ValueError, match=r"'compute' effect requires a mapping of \{key: expression\}"):
        ActionSpec.from_config({"compute": "b"})


def test_a_loader_that_checks_does_so_also_when_it_only_parses() -> None:
    config: dict[str, Any] = {"states": [{"name": "a", "type": "odd"}], "transitions": []}
    with pytest.raises(ConfigurationError, match=r"Configuration validation failed with 1 error\(s\)") as caught:
        ConfigLoader().parse(config)
    assert len(caught.value.context["errors"]) == 1
    with pytest.raises(ConfigurationError, match="'odd' is not a valid StateType"):
        ConfigLoader(validate=False).parse(config)
    # Whether the parts agree is asked when a machine is built.
    assert ConfigLoader().parse({"states": [{"name": "a"}], "transitions": []})[0]["a"].name == "a"


def test_switches_are_read_alike_in_definitions_and_machines() -> None:
    config = {**SMALL, "meta": {"machine_name": "m", "strict_mode": "false"}}
    assert (parse_machine(config).strict_mode, StateMachine.from_dict(config).strict_mode) == (False, False)


def test_findings_name_what_they_are_about() -> None:
    machine = StateMachine.from_dict(
        {
            "states": [
                {"name": "a", "type": "initial", "on_enter": ["ring", "knock"], "on_exit": ["ring"]},
                {"name": "y", "type": "terminal", "on_enter": ["knock"]},
                {"name": "x", "type": "terminal"},
            ],
            "transitions": [
                {"trigger": "go", "source": "a", "dest": "x", "actions": ["ring"]},
                {"trigger": "back", "source": ["y", "x"], "dest": "a"},
                {"trigger": "end", "source": "a", "dest": "y"},
            ],
        }
    )
    findings = [(one.code, one.message, one.context) for one in lint(machine)]
    assert [context for code, _, context in findings if code == "missing_action"] == [
        {"action": "ring", "location": "transition"},
        {"action": "knock", "location": "state:a"},
    ]
    assert [rest for code, *rest in findings if code == "dead_transition"] == [
        [
            "Transition 'back' from terminal state(s) ['x', 'y'] can never fire",
            {"trigger": "back", "sources": ["x", "y"]},
        ]
    ]


def test_a_computation_that_fails_names_itself() -> None:
    machine = StateMachine.from_dict(
        {**SMALL, "transitions": [{**SMALL["transitions"][0], "actions": [{"compute": {"x": "1", "y": "x + zz"}}]}]}
    )
    session = machine.create(execute_actions=True)
    (outcome,) = session.send("update").metadata["action_results"]
    assert outcome["error"] == "'zz' is not defined for expression 'x + zz'"


def test_decorators_of_machines_need_a_name() -> None:
    machine = StateMachine.from_dict(SMALL)
    with pytest.raises(ValueError, match="Guard name cannot be empty"):
        machine.guard("")(lambda _: True)
    with pytest.raises(ValueError, match="Action name cannot be empty"):
        machine.action("")(lambda _: None)


def test_sessions_can_be_patched() -> None:
    session = StateMachine.from_dict(SMALL).create()
    with mock.patch.object(session, "send", return_value="stand-in"):
        assert session.send("update") == "stand-in"
    assert session.send("update").target_state == "b"
    session.note = 5  # type: ignore[attr-defined]
    assert session.note == 5


def test_functions_can_be_asked_for_their_kind() -> None:
    from spikard.fsm.actions import ActionFunc, AsyncActionFunc
    from spikard.fsm.guards import AsyncGuardFunc, GuardFunc

    for kind in (ActionFunc, AsyncActionFunc, AsyncGuardFunc, GuardFunc):
        assert isinstance(len, kind)
        assert not isinstance(5, kind)


def test_transitions_of_regions_are_told_of_where_they_lead() -> None:
    machine = StateMachine.from_dict(
        {
            "states": [
                {"name": "both", "type": "initial"},
                {"name": "p", "type": "parallel", "regions": [{"name": "left", "initial": "up"}]},
                {"name": "up"},
                {"name": "down"},
            ],
            "transitions": [{"trigger": "sink", "source": "up", "dest": "down", "region": "left"}],
        }
    )
    found = machine.evaluate_destination("up", "down")
    assert (found.allowed, found.candidate_count, found.passing_count, found.metadata) == (False, 1, 0, {})
    assert found.candidates[0].reason == "invalid_trigger"


def test_everything_can_be_imported_from_a_former_path() -> None:
    names: dict[str, Any] = {}
    exec("from spikard.fsm.guards import *\nfrom spikard.fsm.runtime.errors import *", names)
    assert {"GuardRegistry", "equals", "MachineNotFound", "MachineStore"} <= names.keys()
    # Names of Python itself stay what they are; who asks for one by name is given it.
    assert "RuntimeError" not in names
    from spikard.fsm.runtime import errors

    assert errors.RuntimeError is errors.FsmRuntimeError


def test_a_definition_without_submachines_is_given_back_itself() -> None:
    assert ConfigLoader().load_dict(SMALL) is SMALL
    assert resolve_submachines(SMALL) is SMALL


def test_an_empty_name_is_a_name() -> None:
    assert StateMachine.from_dict({**SMALL, "meta": {"machine_name": ""}}).name == ""
    assert StateMachine.from_dict(SMALL).name == "unnamed"


def test_an_action_that_nobody_has_registered_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    ActionExecutor(ActionRegistry(), log_execution=False).execute_action_spec(ActionSpec("silent"), {})
    ActionExecutor(ActionRegistry()).execute_action_spec(ActionSpec("absent"), {})
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "Action 'absent' not registered, skipping")
    ]


def test_classes_derived_from_results_make_their_own() -> None:
    class Marked(TransitionResult):
        pass

    made = [
        Marked.success_result("a", "b", "go", metadata={"k": 1}),
        Marked.failure_result("a", "go", FSMError("no")),
        Marked.no_op_result("a", "go"),
    ]
    assert [type(one) for one in made] == [Marked] * 3
    assert [one.target_state for one in made] == ["b", None, "a"]
    assert made[0].metadata == {"k": 1}
    assert isinstance(made[1].error, FSMError)
    assert made[2].metadata["no_op"]
    assert repr(made[0]).startswith(f"{Marked.__qualname__}(success=True, ")
    plain = TransitionResult.success_result("a", "b", "go")
    assert type(plain) is TransitionResult
    assert repr(plain).startswith("TransitionResult(success=True, ")
