"""Versions of machines compared."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from spikard.fsm import compare_machines

OLD: dict[str, Any] = {
    "states": [
        {"name": "a", "type": "initial"},
        {"name": "b", "timeout": {"seconds": 5, "destination": "z"}},
        {"name": "z", "type": "terminal"},
    ],
    "transitions": [
        {"trigger": "go", "source": "a", "dest": "b", "guards": [{"check": {"field": "x", "op": "gt", "value": 5}}]},
        {"trigger": "stop", "source": "b", "dest": "z"},
        {"after": "5s", "source": "a", "dest": "z"},
    ],
}


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    config = copy.deepcopy(OLD)
    change(config)
    return config


def guard(op: str, value: int) -> Callable[[dict[str, Any]], object]:
    check = {"check": {"field": "x", "op": op, "value": value}}
    return lambda config: config["transitions"][0].update(guards=[check])


@pytest.mark.parametrize(
    ("change", "level", "kinds"),
    [
        (lambda config: None, "patch", []),
        (lambda config: config["states"][0].update(description="first"), "patch", ["text_changed"]),
        (lambda config: config["states"].append({"name": "c"}), "minor", ["state_added"]),
        (
            lambda config: config["transitions"].append({"trigger": "x", "source": "a", "dest": "b"}),
            "minor",
            ["transition_added"],
        ),
        (guard("gt", 9), "major", ["guard_tightened"]),
        (guard("gt", 1), "major", ["guard_relaxed"]),
        (guard("lt", 1), "major", ["guard_changed"]),
        (lambda config: config["transitions"][1].update(dest="a"), "major", ["target_changed"]),
        (lambda config: config["transitions"].pop(1), "major", ["transition_removed"]),
        (lambda config: config["transitions"].pop(2), "major", ["transition_removed", "timer_removed"]),
        (lambda config: config["states"][1].pop("timeout"), "major", ["timeout_changed"]),
        (lambda config: config["states"][1].update(on_enter=["log"]), "major", ["actions_changed"]),
    ],
)
def test_changes_have_kinds_and_levels(
    change: Callable[[dict[str, Any]], object], level: str, kinds: list[str]
) -> None:
    report = compare_machines(OLD, changed(change))
    assert (report.level, [found.kind for found in report.changes]) == (level, kinds)
    assert report.compatible is (level != "major")


def test_renamed_states_are_known_by_what_they_were() -> None:
    text = json.dumps(OLD).replace('"b"', '"bb"')
    new = json.loads(text)
    new["states"][1]["metadata"] = {"was": ["b"]}
    assert [change.kind for change in compare_machines(OLD, new).changes] == ["state_renamed", "text_changed"]


def test_entities_decide_whether_they_can_go_on() -> None:
    new = changed(lambda config: (config["states"].pop(1), config["transitions"].pop(1), config["transitions"].pop(0)))
    report = compare_machines(OLD, new, {"e1": "a", "e2": "b"})
    assert not report.compatible
    assert [issue["entity_id"] for issue in report.issues] == ["e2"]
    assert compare_machines(OLD, new, [{"entity_id": "e1", "current_state": "a"}]).compatible
