"""`spikard fsm draw` and `schema`."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from spikard.cli import main
from spikard.fsm import load_config
from tests.cli.fsm.program import ORDER


@pytest.fixture(autouse=True)
def _order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("order.yaml").write_text(ORDER, encoding="utf-8")


@pytest.mark.parametrize(
    ("form", "begins"),
    [
        ("svg", "<svg"),
        ("mermaid", "stateDiagram-v2"),
        ("flowchart", "flowchart"),
        ("dot", "digraph"),
        ("plantuml", "@startuml"),
        ("scxml", "<?xml"),
        ("xstate", "{"),
        ("asl", "{"),
    ],
)
def test_formats(form: str, begins: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fsm", "draw", "order.yaml", "--format", form]) == 0
    assert capsys.readouterr().out.startswith(begins)


def test_the_output_says_the_format() -> None:
    assert main(["fsm", "draw", "order.yaml", "-o", "order.svg", "--highlight", "open", "--title", "An order"]) == 0
    picture = ET.parse("order.svg").getroot()
    assert picture.tag.endswith("svg")
    assert "An order" in "".join(picture.itertext())


def test_dialogues_of_bots_are_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    states = "{ask: {bot: {prompt: Name?}}, done: {type: terminal}}"
    moves = "[{trigger: answered, source: ask, dest: done}]"
    Path("form.yaml").write_text(f"name: form\ninitial: ask\nstates: {states}\ntransitions: {moves}\n")
    assert main(["fsm", "draw", "form.yaml"]) == 0
    assert "ask --> done : answered" in capsys.readouterr().out
    Path("form.yaml").write_text("states: {ask: 3}\n")
    assert main(["fsm", "draw", "form.yaml"]) != 0
    assert "state 'ask' is a mapping, not int" in capsys.readouterr().err


def test_what_cannot_be_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fsm", "draw", "order.yaml", "--highlight", "opn"]) == 2
    assert main(["fsm", "draw", "absent.yaml"]) == 1
    assert main(["fsm", "draw", "order.yaml", "-o", "no/such/folder.svg"]) == 1
    assert "no/such/folder.svg cannot be written" in capsys.readouterr().err


def test_json_holds_the_drawing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fsm", "draw", "order.yaml", "--json", "--no-guards", "--direction", "LR"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["format"] == "mermaid"
    assert "direction LR" in document["drawing"]
    assert "fill_qty" not in document["drawing"]


def test_the_schema_takes_what_the_validator_takes() -> None:
    assert main(["fsm", "schema", "-o", "machine.json"]) == 0
    schema = json.loads(Path("machine.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(load_config("order.yaml"), schema)
