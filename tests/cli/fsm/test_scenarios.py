"""`spikard fsm test` and `testgen`."""

import json
import runpy
from pathlib import Path

import pytest

from spikard.cli import main
from spikard.fsm.template_gallery import template_names, template_text
from tests.cli.fsm.program import ORDER, spikard_fsm

CAPTURED = pytest.CaptureFixture[str]
SCENARIOS = """\
- name: in one go
  context: {order_qty: 10}
  steps: [{event: ack, state: open}, {event: fill, payload: {fill_qty: 10}, state: filled}]
- name: in part
  context: {order_qty: 10}
  steps: [{event: ack, state: open}, {event: fill, payload: {fill_qty: 3}, state: filled}, {event: ack}]
"""


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("order.yaml").write_text(ORDER, encoding="utf-8")
    Path("order.scenarios.yaml").write_text(SCENARIOS, encoding="utf-8")


def test_what_failed_is_shown_step_by_step(capsys: CAPTURED) -> None:
    assert main(["fsm", "test", "order.yaml"]) == 1
    out = capsys.readouterr().out
    assert out.startswith(
        "FAIL  order.scenarios.yaml: in part\n      1. ack -> open\n    x 2. fill {'fill_qty': 3} -> filled\n"
    )
    assert "          state\n          - 'filled'\n          + 'open'\n      …\n" in out
    assert out.endswith("1 passed, 1 failed\n")


def test_exit_codes(tmp_path: Path, capsys: CAPTURED) -> None:
    assert spikard_fsm("test", ".", cwd=tmp_path).code == 1
    assert main(["fsm", "test", "order.scenarios.yaml", "-k", "one go"]) == 0
    assert main(["fsm", "test", "order.yaml", "-k", "no such name"]) == 2
    assert main(["fsm", "test", "order.yaml", "-k", "one go", "--min-coverage", "1"]) == 0
    Path("order.scenarios.yaml").write_text("- {name: x, stpes: []}", encoding="utf-8")
    assert main(["fsm", "test", "order.yaml"]) == 1
    assert "unknown key 'stpes'" in capsys.readouterr().err
    Path("order.scenarios.yaml").unlink()
    assert main(["fsm", "test", "order.yaml"]) == 1
    assert main(["fsm", "test", "."]) == 1


def test_the_templates_do_what_their_scenarios_say(capsys: CAPTURED) -> None:
    folder = Path(template_text.__code__.co_filename).with_name("templates")
    assert main(["fsm", "test", str(folder), "--json"]) == 0
    files = json.loads(capsys.readouterr().out)["files"]
    assert len(files) == len(template_names())


@pytest.mark.parametrize("strategy", ["states", "transitions", "pairs", "boundary", "random"])
def test_what_is_generated_passes(strategy: str, capsys: CAPTURED) -> None:
    assert main(["fsm", "testgen", "order.yaml", "--strategy", strategy, "-o", "order.scenarios.yaml"]) == 0
    assert main(["fsm", "test", "order.yaml"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith(" passed")


def test_generated_pytest_files_can_be_loaded() -> None:
    assert main(["fsm", "testgen", "order.yaml", "-o", "test_order.py"]) == 0
    assert "test_scenario" in runpy.run_path("test_order.py")
    assert main(["fsm", "testgen", "order.yaml", "--strategy", "luck"]) == 2
    assert main(["fsm", "testgen", "order.yaml", "--json"]) == 0


def test_a_coverage_that_is_missed_is_said(capsys: CAPTURED) -> None:
    Path("order.scenarios.yaml").write_text("- {name: x, steps: [{event: ack, state: open}]}", encoding="utf-8")
    assert main(["fsm", "test", "order.yaml", "--min-coverage", "0.5"]) == 0
    assert capsys.readouterr().err == ""
    assert main(["fsm", "test", "order.yaml", "--min-coverage", "0.9"]) == 1
    missed = "order.scenarios.yaml: 50% of the transitions are seen, 90% are asked for"
    assert capsys.readouterr().err.startswith(missed)
    assert main(["fsm", "test", "order.yaml", "--min-coverage", "90"]) == 2
    assert "it is a share, from 0 to 1" in capsys.readouterr().err


def test_scenarios_that_cannot_be_read_are_named(capsys: CAPTURED) -> None:
    for text, said in (
        ("- {name: [", "order.scenarios.yaml:2:1: Invalid YAML"),
        ("- {name: 1}", "order.scenarios.yaml: scenario 1: 'name' is"),
    ):
        Path("order.scenarios.yaml").write_text(text, encoding="utf-8")
        assert main(["fsm", "test", "order.yaml"]) == 1
        assert capsys.readouterr().err.startswith(f"spikard fsm: error: {said}")
    assert main(["fsm", "test", "order.yaml", "--scenarios", "absent.yaml"]) == 1
    assert capsys.readouterr().err == "spikard fsm: error: Configuration file not found: absent.yaml\n"
    assert main(["fsm", "test", "-"]) == 2
    assert "name them: --scenarios" in capsys.readouterr().err
