"""`spikard fsm fmt`, `stubs`, `diff`, `bench`."""

import ast
import json
from io import StringIO
from pathlib import Path

import pytest

from spikard.cli import main
from spikard.fsm import StateMachine
from spikard.fsm.config_format import format_config
from spikard.fsm.errors import ConfigurationError
from spikard.fsm.stub_file import stub_of
from spikard.fsm.template_gallery import template_names, template_text
from tests.cli.fsm.program import ORDER

CAPTURED = pytest.CaptureFixture[str]
UNTIDY = """\
# first of all
meta:   {machine_name: order,  version: "1.0.0"}   # the name
states:
- name:   a   # a state
  type: initial



- {name: "b", note: 'it''s', long: >-
    folded
    text}
- name: c
  description: |
    kept   as  it is

      here, too
transitions: []
# last of all
"""


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("order.yaml").write_text(ORDER, encoding="utf-8")


def test_layout() -> None:
    text = "states:\n- name: a   # a state\n  type:   initial\n\n\n\n# more\n- {name: b,  n: 'x'}\ntransitions: []   \n"
    assert format_config(text) == (
        "states:\n  - name: a # a state\n    type: initial\n\n  # more\n  - {name: b, n: 'x'}\ntransitions: []\n"
    )
    sharp = "a: |\n  x\n    # no comment\n  y\n"
    assert format_config(sharp) == sharp


@pytest.mark.parametrize("text", [ORDER, *map(template_text, template_names()), "a: ${X:?no}\nb: [1.50, 0x1F, yes]\n"])
def test_what_is_laid_out_stays_so(text: str) -> None:
    once = format_config(text)
    assert format_config(once) == once


def test_nothing_is_lost() -> None:
    text = UNTIDY.replace(
        "- {name: \"b\", note: 'it''s', long: >-\n    folded\n    text}\n", "- {name: \"b\", note: 'it''s'}\n"
    )
    done = format_config(text)
    for part in ("# first of all", "# the name", "# a state", "# last of all", "'it''s'", '"b"', "kept   as  it is"):
        assert part in done
    assert "\n\n\n" not in done


@pytest.mark.parametrize("text", ["a: [", "a: 1\na: 2\n", "a: !x 1", UNTIDY])
def test_what_cannot_be_laid_out_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        format_config(text)


def test_json_is_laid_out_too() -> None:
    assert format_config('{"b":[1,2.5],"a":"ü"}', "json") == '{\n  "b": [\n    1,\n    2.5\n  ],\n  "a": "ü"\n}\n'


def test_files_are_written_only_where_they_change(capsys: CAPTURED) -> None:
    Path("order.yaml").write_text(ORDER.replace("  - {", "  -   {"), encoding="utf-8")
    assert main(["fsm", "fmt", "--check", "."]) == 1
    assert main(["fsm", "fmt", "--diff", "order.yaml"]) == 0
    assert "+  - {name: open}" in capsys.readouterr().out
    assert main(["fsm", "fmt", "order.yaml"]) == 0
    assert main(["fsm", "fmt", "--check", "--json", "order.yaml"]) == 0
    Path("broken.yaml").write_text("a: [", encoding="utf-8")
    assert main(["fsm", "fmt", "broken.yaml"]) == 1
    assert "broken.yaml:2:1: " in capsys.readouterr().err
    assert main(["fsm", "fmt", "absent.yaml"]) == 1


def test_a_broken_file_keeps_no_other_from_being_laid_out(capsys: CAPTURED) -> None:
    tidy = Path("order.yaml").read_text(encoding="utf-8")
    Path("order.yaml").write_text(ORDER.replace("  - {", "  -   {"), encoding="utf-8")
    for name in ("broken.yaml", "another.yaml"):
        Path(name).write_text("a: [", encoding="utf-8")
    assert main(["fsm", "fmt", "broken.yaml", "another.yaml", "order.yaml"]) == 1
    said = capsys.readouterr()
    assert "order.yaml: is laid out anew" in said.out
    assert said.err.count("error: ") == 2
    assert Path("order.yaml").read_text(encoding="utf-8") == tidy
    assert main(["fsm", "fmt", "--json", "broken.yaml"]) == 1
    assert "broken.yaml:2:1: " in json.loads(capsys.readouterr().out)["failed"][0]["message"]


def test_stubs_are_python(capsys: CAPTURED) -> None:
    assert main(["fsm", "stubs", "order.yaml"]) == 0
    text = capsys.readouterr().out
    names = {node.name for node in ast.walk(ast.parse(text)) if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    assert {"OrderSession", "OrderMachine", "ack", "fill", "is_open"} <= names
    assert 'State: TypeAlias = Literal["pending", "open", "filled"]' in text
    assert main(["fsm", "stubs", "order.yaml", "--name", "1x"]) == 2


def test_stubs_leave_out_names_that_mean_something_else() -> None:
    machine = StateMachine.from_dict(
        {
            "states": [{"name": "final", "type": "initial"}, {"name": "b"}],
            "transitions": [
                {"trigger": name, "source": "final", "dest": "b"} for name in ("send", "class", "1st", "go")
            ],
        }
    )
    text = stub_of(machine, "Odd")
    assert "def go(" in text
    assert text.count("def send(") == 1
    for name in ("def class(", "def 1st(", "def is_final("):
        assert name not in text


def test_differences(capsys: CAPTURED) -> None:
    Path("new.yaml").write_text(ORDER.replace(": open", ": opened"))
    Path("same.yaml").write_text(ORDER, encoding="utf-8")
    assert main(["fsm", "diff", "order.yaml", "same.yaml", "--fail-on", "patch"]) == 0
    assert main(["fsm", "diff", "order.yaml", "new.yaml"]) == 0
    assert main(["fsm", "diff", "order.yaml", "new.yaml", "--fail-on", "major"]) == 3
    capsys.readouterr()
    assert main(["fsm", "diff", "order.yaml", "new.yaml", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["level"], report["compatible"]) == ("major", False)


def test_measuring(capsys: CAPTURED) -> None:
    assert main(["fsm", "bench", "order.yaml", "--seconds", "0.05", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["measured"]
    assert {row["work"] for row in rows} == {"build from a mapping", "session", "ack in pending", "fill in open"}
    assert all(row["microseconds"] > 0 for row in rows)
    assert main(["fsm", "bench", "order.yaml", "--seconds", "0"]) == 2


def test_mappings_in_lists_keep_their_braces() -> None:
    assert format_config("a: [{b: 1}, {c: 2, d: 3}]\n") == "a: [{b: 1}, {c: 2, d: 3}]\n"


def test_files_that_cannot_be_laid_out_have_a_place(capsys: CAPTURED) -> None:
    Path("broken.yaml").write_text("a: 1\nb: [\n", encoding="utf-8")
    Path("latin.yaml").write_bytes(b"a: 1\nb: \xfc\n")
    assert main(["fsm", "fmt", "broken.yaml"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("spikard fsm: error: broken.yaml:3:1: Invalid YAML syntax")
    assert "line 3" not in said
    assert main(["fsm", "fmt", "latin.yaml"]) == 1
    assert capsys.readouterr().err.startswith("spikard fsm: error: latin.yaml:2: it is not UTF-8, byte 0xfc")


def test_standard_input_is_one_machine(capsys: CAPTURED) -> None:
    assert main(["fsm", "diff", "-", "-"]) == 2
    assert "standard input is one machine" in capsys.readouterr().err


def test_converting(capsys: CAPTURED, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("order.yaml").write_text(ORDER, encoding="utf-8")
    assert main(["fsm", "convert", "order.yaml", "--to", "scxml", "--json"]) == 0
    converted = json.loads(capsys.readouterr().out)
    assert (converted["format"], converted["output"]) == ("scxml", None)
    monkeypatch.setattr("sys.stdin", StringIO(converted["machine"]))
    assert main(["fsm", "convert", "-", "--from", "scxml", "-o", "back.yaml"]) == 0
    assert "name: pending" in Path("back.yaml").read_text(encoding="utf-8")
    Path("bad.scxml").write_text("<scxml", encoding="utf-8")
    for command in ("convert", "draw"):
        assert main(["fsm", command, "bad.scxml"]) == 1
        assert "error: bad.scxml:1:1: Invalid XML" in capsys.readouterr().err
        assert main(["fsm", command, "order.yaml", "-o", "order.png"]) == 2
        assert "order.png: .png is the end of no format; there are" in capsys.readouterr().err
        assert main(["fsm", command, "order.yaml", "-o", "order.txt"]) == 0
    assert not Path("order.png").exists()
