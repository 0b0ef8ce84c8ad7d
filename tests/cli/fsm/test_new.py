"""`spikard fsm new` and `conform`."""

import json
from pathlib import Path

import pytest

from spikard.cli import main
from spikard.fsm import StateMachine
from spikard.fsm.template_gallery import template_names

CAPTURED = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("template", template_names())
def test_templates_become_machines_whose_scenarios_pass(template: str, capsys: CAPTURED) -> None:
    assert main(["fsm", "new", "mine", "--template", template]) == 0
    assert capsys.readouterr().out == "wrote mine.yaml\nwrote mine.scenarios.yaml\n"
    assert StateMachine.from_yaml("mine.yaml").name == "mine"
    assert main(["fsm", "test", "mine.yaml"]) == 0


def test_nothing_is_overwritten(capsys: CAPTURED) -> None:
    Path("mine.scenarios.yaml").write_text("[]", encoding="utf-8")
    assert main(["fsm", "new", "mine"]) == 1
    assert "mine.scenarios.yaml is there already" in capsys.readouterr().err
    assert not Path("mine.yaml").exists()
    Path("there").mkdir()
    assert main(["fsm", "new", "mine", "--directory", "there", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["files"] == ["there/mine.yaml", "there/mine.scenarios.yaml"]


def test_names_and_templates_that_are_none(capsys: CAPTURED) -> None:
    assert main(["fsm", "new", "a b"]) == 2
    assert main(["fsm", "new", "mine", "--template", "papyrus"]) == 2
    assert "There is no template 'papyrus'; there are blank" in capsys.readouterr().err
    assert main(["fsm", "new", "--json"]) == 0
    assert [row["template"] for row in json.loads(capsys.readouterr().out)["templates"]] == template_names()


def test_conform_is_a_command_of_its_own(capsys: CAPTURED) -> None:
    assert main(["fsm", "new", "mine"]) == 0
    Path("log.csv").write_text(
        "entity_id,state,observed_at\na,start,2026-01-01T10:00:00Z\na,done,2026-01-01T11:00:00Z\n", encoding="utf-8"
    )
    assert main(["fsm", "conform", "log.csv", "mine.yaml"]) == 0
    assert "fitness 1.000" in capsys.readouterr().out
