"""Weaknesses that engines like this one have had: each stays cured."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from spikard.fsm import (
    ExprRefusedError,
    GuardRejectedError,
    InMemoryMachineStore,
    StateMachine,
    build_machine_from_store,
    evaluate_expr,
    execute_http_action,
    parse_machine,
    validate_config,
)

REMEMBERING: dict[str, Any] = {
    "states": [
        {"name": "out", "type": "initial"},
        {"name": "top", "initial_child": "mid"},
        {"name": "mid", "parent": "top", "initial_child": "one"},
        {"name": "one", "parent": "mid"},
        {"name": "two", "parent": "mid"},
    ],
    "transitions": [
        {"trigger": "enter", "source": "out", "dest": "top"},
        {"trigger": "next", "source": "one", "dest": "two"},
        {"trigger": "leave", "source": "top", "dest": "out"},
        {"trigger": "back", "source": "out", "dest": "H(top)"},
        {"trigger": "deep", "source": "out", "dest": "H*(top)"},
    ],
}


def test_legacy_01_one_entity_does_not_remember_for_another() -> None:
    machine = StateMachine.from_dict(REMEMBERING)
    first, second = machine.create(), machine.create()
    for trigger in ("enter", "next", "leave"):
        first.send(trigger)
    second.send("deep")
    first.send("deep")
    assert (first.current_state, second.current_state) == ("two", "one")


def test_legacy_05_a_refusal_by_guards_has_a_class_of_its_own() -> None:
    config = {
        "states": [{"name": "a", "type": "initial"}],
        "transitions": [{"trigger": "go", "source": "a", "dest": "a", "guards": ["never"]}],
    }
    error = StateMachine.from_dict(config).process("a", "go", {}).error
    assert isinstance(error, GuardRejectedError)
    assert error.code.value == "guard_rejected"


def test_legacy_20_sending_from_a_callback_does_not_wait_for_itself() -> None:
    machine = StateMachine.from_dict(REMEMBERING)
    session = machine.create()
    machine.on_enter("one")(lambda context: session.send("next"))
    with ThreadPoolExecutor(1) as pool:
        pool.submit(session.send, "enter").result(timeout=20)
    assert session.current_state == "two"


def test_legacy_23_deep_history_remembers_all_levels_and_shallow_rests_in_leaves() -> None:
    machine = StateMachine.from_dict(REMEMBERING)
    left = machine.process("two", "leave").metadata["_history_updates"]
    assert machine.process("out", "deep", history=left).target_state == "two"
    assert machine.process("out", "back", history=left).target_state == "one"


def test_legacy_21_actions_read_no_files_and_call_nobody_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SPIKARD_FSM_HTTP_ALLOW_PRIVATE", raising=False)
    (tmp_path / "secret").write_text("s3cret")
    for url in (f"file://{tmp_path}/secret", "http://127.0.0.1:1/", "http://169.254.169.254/latest/meta-data/"):
        context: dict[str, Any] = {}
        params = {"url": url, "method": "GET", "on_success": {"body_key": "body"}, "on_error": "fail"}
        assert not execute_http_action(params, context).success
        assert context == {}


def test_legacy_22_an_expression_is_read_once_and_knows_no_chance() -> None:
    config = {
        "states": [{"name": "a", "type": "initial"}, {"name": "b"}],
        "transitions": [{"trigger": "go", "source": "a", "dest": "b", "guards": [{"expr": "n > "}]}],
    }
    (fault,) = validate_config(config, strict=False)
    assert fault.startswith("[transitions.0.guards.0")
    with pytest.raises(ExprRefusedError, match="rand"):
        evaluate_expr("rand() < 2", {})


def test_legacy_27_versions_are_ordered_by_their_numbers() -> None:
    store = InMemoryMachineStore()
    for version in ("1.9.0", "1.10.0", "1.10.0-rc.1"):
        store.save(parse_machine({**REMEMBERING, "meta": {"machine_name": "m", "version": version}}))
    assert build_machine_from_store(store, "m").version == "1.10.0"
