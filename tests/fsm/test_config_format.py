"""The JSON Schema of configurations."""

import json
from pathlib import Path

import pytest

from spikard._spikard import validate_json
from spikard.fsm.config_schema import config_schema

CASES = json.loads((Path(__file__).parent.parent / "data" / "fsm" / "invalid.json").read_text(encoding="utf-8"))
OF_FORM = [case for case in CASES if case["codes"][0] in ("C001", "C002", "C004", "C006")]


def test_it_names_itself() -> None:
    assert config_schema()["$id"] == "urn:spikard:fsm:machine:1"


@pytest.mark.parametrize("case", OF_FORM, ids=[case["name"] for case in OF_FORM])
def test_faults_of_form_are_faults_of_the_schema(case: dict[str, object]) -> None:
    assert validate_json(config_schema(), json.dumps(case["config"]).encode()) != []


def test_good_machines_are_accepted() -> None:
    config = {
        "states": [
            {"name": "a", "type": "initial", "on_enter": ["log", {"set": {"x": 1}}]},
            {"name": "p", "type": "parallel", "regions": [{"name": "r", "initial": "x"}]},
            {"name": "x", "when": [{"any_of": [{"field": "k", "op": "is_set"}]}]},
        ],
        "transitions": [
            {"after": "1h30m", "source": "a", "dest": "p", "guards": {"not": {"expr": "x > 1"}}},
            {"trigger": "go", "source": ["a"], "dest": "p", "actions": {"branch": {"when": "x", "then": ["log"]}}},
        ],
    }
    assert validate_json(config_schema(), json.dumps(config).encode()) == []
