"""Machines in machines."""

from pathlib import Path
from typing import Any

import pytest

from spikard.fsm import ConfigurationError, load_config, resolve_submachines, validate_config


def inner() -> dict[str, Any]:
    return {
        "states": [
            {"name": "x", "type": "initial", "timeout": {"seconds": 3, "destination": "y"}},
            {"name": "y", "initial_child": "z", "entry_points": ["z"]},
            {"name": "z", "parent": "y"},
            {"name": "both", "type": "parallel", "regions": [{"name": "r", "initial": "u", "states": ["u"]}]},
            {"name": "u"},
            {"name": "done", "type": "terminal"},
        ],
        "transitions": [
            {"trigger": "go", "source": "x", "dest": "y:z"},
            {"trigger": "back", "source": ["x", "y"], "dest": "H(y)"},
            {"trigger": "stop", "source": "*", "dest": "done"},
            {"trigger": "tick", "source": "u", "dest": "u", "region": "r"},
        ],
    }


def outer(submachine: Any) -> dict[str, Any]:
    return {
        "states": [{"name": "i", "type": "initial"}, {"name": "p", "submachine": submachine}],
        "transitions": [{"trigger": "enter", "source": "i", "dest": "p"}],
    }


def test_legacy_04_expanded_machines_are_valid() -> None:
    config = resolve_submachines(outer(inner()))
    assert validate_config(config) == []
    assert config["states"][1] == {"name": "p", "initial_child": "p.x"}
    assert config["states"][2] == {
        "name": "p.x", "type": "stable", "timeout": {"seconds": 3, "destination": "p.y"}, "parent": "p",
    }  # fmt: skip
    assert config["states"][3]["entry_points"] == ["p.z"]
    assert config["states"][5]["regions"] == [{"name": "p.r", "initial": "p.u", "states": ["p.u"]}]


def test_transitions_inside_come_first_and_stay_inside() -> None:
    go, back, stop, tick, enter = resolve_submachines(outer(inner()))["transitions"]
    assert (go["source"], go["dest"]) == ("p.x", "p.y:p.z")
    assert (back["source"], back["dest"]) == (["p.x", "p.y"], "H(p.y)")
    assert stop["source"] == ["p.x", "p.y", "p.z", "p.both", "p.u"]
    assert (tick["region"], tick["dest"]) == ("p.r", "p.u")
    assert enter == {"trigger": "enter", "source": "i", "dest": "p"}


def test_names_with_dots_are_refused_where_nobody_expanded() -> None:
    config = {"states": [{"name": "a.b", "type": "initial"}], "transitions": []}
    assert validate_config(config, strict=False) == ["[states.0.name] String should match pattern '^[a-z0-9_]+$'"]


def test_files_are_relative_to_the_machine(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "main.yaml").write_text(
        "states: [{name: a, type: initial, submachine: parts/b.yaml}]\ntransitions: []\n", encoding="utf-8"
    )
    (tmp_path / "parts" / "b.yaml").write_text(
        "states: [{name: b, type: initial, submachine: c.yaml}]\ntransitions: []\n", encoding="utf-8"
    )
    (tmp_path / "parts" / "c.yaml").write_text(
        "states: [{name: c, type: initial}]\ntransitions: []\n", encoding="utf-8"
    )
    names = [state["name"] for state in load_config(tmp_path / "main.yaml")["states"]]
    assert names == ["a", "a.b", "a.b.c"]


@pytest.mark.parametrize("reference", ["../secret.yaml", "/etc/passwd"])
def test_files_outside_of_the_folder_are_refused(tmp_path: Path, reference: str) -> None:
    (tmp_path / "secret.yaml").write_text("states: []\n", encoding="utf-8")
    folder = tmp_path / "machines"
    folder.mkdir()
    with pytest.raises(ValueError, match="is outside of"):
        resolve_submachines(outer(reference), folder)


def test_missing_files_and_other_forms_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"SubMachine file not found: x\.yaml"):
        resolve_submachines(outer("x.yaml"), tmp_path)
    with pytest.raises(ValueError, match=r"must be a string \(file path\) or dict, got int"):
        resolve_submachines(outer(1))


def test_machines_that_contain_themselves_come_to_an_end(tmp_path: Path) -> None:
    path = tmp_path / "loop.yaml"
    path.write_text("states: [{name: a, type: initial, submachine: loop.yaml}]\ntransitions: []\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="circular reference"):
        load_config(path)
