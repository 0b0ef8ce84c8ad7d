"""What programs written for engines of this kind do with results, events and names, apart from what they are for."""

import dataclasses
import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from spikard.fsm import (
    ActionSpec,
    Event,
    FSMError,
    HistoryType,
    InMemoryStateStore,
    Orchestrator,
    StateMachine,
    StateType,
    TransitionResult,
    builtin_registries,
    get_builtin_catalog,
)

REGIONS: dict[str, Any] = {
    "states": [
        {"name": "idle", "type": "initial"},
        {"name": "both", "type": "parallel", "regions": [{"name": "left", "initial": "up", "states": ["up", "down"]}]},
        {"name": "up"},
        {"name": "down"},
    ],
    "transitions": [
        {"trigger": "begin", "source": "idle", "dest": "both"},
        {"trigger": "sink", "source": "up", "dest": "down", "region": "left"},
    ],
}


def test_kinds_look_like_members_and_compare_like_text() -> None:
    assert (str(StateType.INITIAL), StateType.INITIAL == "initial") == ("StateType.INITIAL", True)
    assert f"{HistoryType.DEEP}" == "HistoryType.DEEP"
    assert json.dumps({"type": StateType.TERMINAL}) == '{"type": "terminal"}'


def test_results_are_dataclasses_to_those_who_ask() -> None:
    result = TransitionResult.success_result("a", "b", "go", actions=[ActionSpec("pay")])
    moved = dataclasses.replace(result, target_state="c", metadata={"why": 1})
    assert (moved.target_state, moved.all_actions, moved.metadata) == ("c", ("pay",), {"why": 1})
    assert [field.name for field in dataclasses.fields(TransitionResult)][:4] == [
        "success", "source_state", "target_state", "trigger",
    ]  # fmt: skip
    assert dataclasses.asdict(TransitionResult(True, "a", "b", "go"))["target_state"] == "b"


def test_events_are_dataclasses_to_those_who_ask() -> None:
    event = Event("go", {"n": 1})
    renamed = dataclasses.replace(event, trigger="stop")
    assert (renamed.trigger, renamed.payload, renamed.event_id) == ("stop", {"n": 1}, event.event_id)
    assert dataclasses.asdict(event)["payload"] == {"n": 1}
    assert pickle.loads(pickle.dumps(event)) == event


def test_a_result_without_effect_says_why() -> None:
    assert TransitionResult.no_op_result("a", "go").metadata == {"no_op": True, "reason": "no_matching_transition"}


def test_sessions_list_their_triggers_and_take_another_context() -> None:
    session = StateMachine.from_dict(REGIONS).create(entity_id="e")
    assert {"begin", "is_idle", "send"} <= set(dir(session))
    session.context = {"n": 2}
    assert session.context == {"n": 2}


def test_steps_that_follow_by_themselves_see_what_came_with_the_event() -> None:
    config = {
        "states": [{"name": "a", "type": "initial"}, {"name": "b"}, {"name": "c"}],
        "transitions": [
            {"trigger": "go", "source": "a", "dest": "b"},
            {"auto": True, "source": "b", "dest": "c", "guards": [{"expr": "far"}]},
        ],
    }
    machine = StateMachine.from_dict(config)
    session = machine.create()
    session.send("go", far=True)
    assert (session.current_state, session.context) == ("c", {})
    near = machine.create()
    near.send("go", far=False)
    assert near.current_state == "b"


def test_an_event_that_no_region_has_a_use_for_changes_nothing() -> None:
    store = InMemoryStateStore()
    orchestrator = Orchestrator(StateMachine.from_dict(REGIONS), store)
    orchestrator.process_event("e", "begin")
    version = store.get_state_versioned("e")[1]
    result = orchestrator.process_event("e", "whatever")
    assert (result.success, result.target_state, result.metadata["no_op"]) == (True, "both:left=up", True)
    assert store.get_state_versioned("e") == ("both:left=up", version)
    assert orchestrator.process_event("e", "sink").success


def test_whoever_checks_the_context_is_named() -> None:
    config = {**REGIONS, "meta": {"validate_context": True}, "state_variables": [{"key": "n", "required": True}]}
    machine = StateMachine.from_dict(config)
    by_contract = Orchestrator(machine, InMemoryStateStore()).process_event("e", "begin").error
    assert isinstance(by_contract, FSMError)
    assert by_contract.message == "Context validation failed"
    refusing = Orchestrator(
        machine, InMemoryStateStore(), context_validator=lambda *_: (False, ["too late", "too dear"])
    )
    by_validator = refusing.process_event("e", "begin", {"n": 1}).error
    assert isinstance(by_validator, FSMError)
    assert by_validator.message == "Validation failed: too late; too dear"
    assert by_validator.context["validation_errors"] == ["too late", "too dear"]


def test_missing_keys_add_up() -> None:
    validate = builtin_registries()[1].get("validate_keys")
    assert validate is not None
    context: dict[str, Any] = {"have": 1}
    validate(context, required=["have", "want"])
    validate(context, required=["need"])
    validate(context, required="name")
    assert context["_validation_errors"] == ["want", "need"]


def test_artifacts_may_name_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write = builtin_registries()[1].get("write_local_file")
    assert write is not None
    context = {"b": 2, "a": 1}
    write(context, filename="f.txt", content="{artifact_path} {a} {unknown}")
    assert Path("fsm_artifacts/f.txt").read_text() == "fsm_artifacts/f.txt 1 {unknown}"
    write({"b": 2, "a": 1}, filename="g.json")
    assert Path("fsm_artifacts/g.json").read_text().index('"a"') < Path("fsm_artifacts/g.json").read_text().index('"b"')


def test_the_catalogue_has_all_forms() -> None:
    catalog = get_builtin_catalog()
    assert [form["name"] for form in catalog["advanced_actions"]] == ["branch", "code", "custom"]
    assert {status["name"] for status in catalog["action_statuses"]} == {"ok", "failed", "skipped"}
    assert all(isinstance(line, str) for line in catalog["recommended_model"])
    assert {form["tier"] for form in catalog["condition_forms"]} == {"declarative", "advanced", "extension"}
