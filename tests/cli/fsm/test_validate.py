"""`spikard fsm validate` and `lint`: places, hints, formats, exit codes."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spikard.cli import main
from spikard.fsm.findings import inspect_text, to_text
from tests.cli.fsm.program import ORDER, spikard_fsm

ODD = """\
states:
  - {name: a, type: initial}
  - {name: b}
  - {name: c, type: terminal}
transitions:
  - {trigger: go, source: a, dest: c}
  - {trigger: go, source: a, dest: b}
"""
CAPTURED = pytest.CaptureFixture[str]


@pytest.fixture
def order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("order.yaml").write_text(ORDER, encoding="utf-8")
    return Path("order.yaml")


def broken(old: str, new: str) -> None:
    assert old in ORDER
    Path("broken.yaml").write_text(ORDER.replace(old, new), encoding="utf-8")


def test_exit_codes_of_the_real_command(order: Path, tmp_path: Path) -> None:
    broken("dest: open", "dest: opn")
    Path("odd.yaml").write_text(ODD, encoding="utf-8")
    faulty = spikard_fsm("validate", "order.yaml", "broken.yaml", cwd=tmp_path)
    assert (faulty.code, faulty.err) == (1, "")
    assert spikard_fsm("validate", "order.yaml", "--fail-on", "never", cwd=tmp_path).code == 2
    assert spikard_fsm("lint", "odd.yaml", cwd=tmp_path).code == 3


def test_exit_codes(order: Path, capsys: CAPTURED) -> None:
    Path("odd.yaml").write_text(ODD, encoding="utf-8")
    assert main(["fsm", "validate", "order.yaml"]) == 0
    assert main(["fsm", "validate"]) == 2
    assert main(["fsm", "validate", "odd.yaml"]) == 0
    assert main(["fsm", "validate", "absent.yaml"]) == 1
    assert main(["fsm", "no_such_command"]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_fault_is_pointed_at(order: Path, capsys: CAPTURED) -> None:
    broken("dest: open", "dest: opn")
    assert main(["fsm", "validate", "broken.yaml"]) == 1
    assert capsys.readouterr().out == (
        "broken.yaml:7:43: error[C013]: Transition 'ack': destination state 'opn' not defined\n"
        "  |\n"
        "7 |   - {trigger: ack, source: pending, dest: opn}\n"
        "  |                                           ^^^\n"
        "  = at: transitions.0.dest\n"
        "  = help: did you mean 'open'?\n"
        "\n"
        "1 error in 1 file\n"
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("source: open", "sorce: open", "help: 'sorce' stands here; did you mean 'source'?"),
        ("    guards:", "    gaurds:", "warning[unknown_key]: 'gaurds' is no key of the format"),
        ("transitions:", "transition:", "help: 'transition' stands here; did you mean 'transitions'?"),
        ("type: initial", "type: intial", "help: did you mean 'initial'?"),
        ("fill_qty >=", "fill_qty >=>", "error[C040]: Expression"),
        ("- trigger: fill", "- trigger: [fill", "error[syntax]: Invalid YAML syntax"),
        ('"1.0.0"', '"${SPIKARD_TEST_UNSET:?say which}"', "error[unset_variable]"),
    ],
)
def test_what_is_said(order: Path, capsys: CAPTURED, old: str, new: str, said: str) -> None:
    broken(old, new)
    main(["fsm", "validate", "broken.yaml"])
    printed = capsys.readouterr().out
    assert said in printed
    assert re.match(r"broken\.yaml:\d+:\d+: ", printed)
    assert "^" in printed


def test_keys_that_resemble_none_are_metadata(order: Path, capsys: CAPTURED) -> None:
    broken("- {name: open}", "- {name: open, owner: ann}")
    assert main(["fsm", "validate", "--fail-on", "info", "broken.yaml"]) == 0
    assert capsys.readouterr().out == "1 file: nothing found\n"


def test_warnings_count_where_they_are_asked_for(order: Path) -> None:
    broken("    guards:", "    gaurds:")
    assert main(["fsm", "validate", "broken.yaml"]) == 0
    assert main(["fsm", "validate", "--fail-on", "warning", "broken.yaml"]) == 3


@pytest.mark.parametrize("content", [b"\xff\xfes\x00", b"", b"a: b: c", b"\t- x", b"- 1\n- 2", b"{", b"&a [*a]"])
def test_files_that_are_no_machines(order: Path, capsys: CAPTURED, content: bytes) -> None:
    Path("no.yaml").write_bytes(content)
    assert main(["fsm", "lint", "no.yaml"]) == 1
    said = capsys.readouterr()
    assert "error[" in said.out
    assert "Traceback" not in said.out + said.err


def test_a_directory_is_all_machines_inside(order: Path, capsys: CAPTURED) -> None:
    Path("order.scenarios.yaml").write_text("- no machine", encoding="utf-8")
    Path("deeper").mkdir()
    Path("deeper/more.json").write_text('{"states": [], "transitions": []}', encoding="utf-8")
    assert main(["fsm", "validate", "."]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "1 error in 2 files"


def test_several_machines_of_a_file(order: Path, capsys: CAPTURED) -> None:
    Path("two.json").write_text('[{"states": [{"name": "a", "type": "initial"}], "transitions": []}, {"states": 1}]')
    assert main(["fsm", "validate", "two.json", "--json"]) == 1
    (file,) = json.loads(capsys.readouterr().out)["files"]
    assert {finding["path"] for finding in file["findings"]} == {"1.states", "1.transitions"}


def test_a_machine_inside_another_that_is_absent(order: Path, capsys: CAPTURED) -> None:
    broken("- {name: open}", "- {name: open, submachine: payment.yaml}")
    assert main(["fsm", "validate", "broken.yaml"]) == 1
    assert "broken.yaml:4:5: error[submachine]: " in capsys.readouterr().out


def test_findings_inside_of_machines_in_machines_have_their_place(order: Path, capsys: CAPTURED) -> None:
    inner = "states: [{name: asked, type: initial}, {name: lost}]\ntransitions: []\n"
    Path("payment.yaml").write_text(inner, encoding="utf-8")
    broken("- {name: open}", "- {name: open, submachine: payment.yaml}")
    assert main(["fsm", "lint", "broken.yaml"]) == 0
    assert "broken.yaml:4:5: warning[unreachable_state]: " in capsys.readouterr().out


def test_standard_input_and_variables(order: Path, tmp_path: Path) -> None:
    text = ORDER.replace('"1.0.0"', '"${VERSION:?}"')
    assert spikard_fsm("validate", "-", "--var", "VERSION=2", cwd=tmp_path, stdin=text).code == 0
    assert main(["fsm", "validate", "--var", "VERSION", "order.yaml"]) == 2


def test_github_commands(order: Path, capsys: CAPTURED) -> None:
    broken("dest: open", "dest: opn")
    assert main(["fsm", "validate", "--format", "github", "broken.yaml"]) == 1
    assert capsys.readouterr().out == (
        "::error file=broken.yaml,line=7,col=43,endColumn=46,title=spikard fsm%3A C013::Transition 'ack': destination "
        "state 'opn' not defined (did you mean 'open'?)\n"
    )


def test_sarif_is_complete(order: Path, capsys: CAPTURED) -> None:
    Path("odd.yaml").write_text(ODD, encoding="utf-8")
    assert main(["fsm", "lint", "--format", "sarif", "odd.yaml"]) == 3
    document = json.loads(capsys.readouterr().out)
    (run,) = document["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert document["version"] == "2.1.0"
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        location = result["locations"][0]["physicalLocation"]
        assert location["artifactLocation"] == {"uri": "odd.yaml"}
        assert location["region"]["startLine"] in (3, 6)
    assert {result["level"] for result in run["results"]} == {"error", "warning"}


def test_a_finding_keeps_its_fingerprint_when_lines_move(order: Path, capsys: CAPTURED) -> None:
    prints = []
    for text in (ODD, f"# a comment\n{ODD}"):
        Path("odd.yaml").write_text(text, encoding="utf-8")
        main(["fsm", "lint", "--format", "sarif", "odd.yaml"])
        results = json.loads(capsys.readouterr().out)["runs"][0]["results"]
        prints.append([result["partialFingerprints"] for result in results])
    assert prints[0] == prints[1]


def test_long_lines_are_cut_around_the_place() -> None:
    text = "states: [{name: a, type: initial}" + "".join(f", {{name: s{n}}}" for n in range(60))
    report = to_text([inspect_text(f"{text}, {{name: BAD}}]\ntransitions: []\n")])
    _, _, shown, carets, *_ = report.splitlines()
    assert len(shown) < 140
    assert shown[carets.index("^") :].startswith("BAD")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.text(max_size=80), st.from_regex(r"states:\n( *- ?[\[{]?name: \w*,?\n){1,4}", fullmatch=True)))
def test_no_text_is_a_traceback(text: str) -> None:
    inspection = inspect_text(text, lint=True)
    assert isinstance(to_text([inspection]), str)
    assert not inspection.is_valid or inspection.text
