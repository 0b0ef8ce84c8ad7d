"""`spikard fsm discovery`: from a log to a machine, and back."""

import json
from io import StringIO
from pathlib import Path

import pytest

from spikard.cli import main
from spikard.fsm import StateMachine
from spikard.fsm.discovery.conformance import check_conformance
from spikard.fsm.discovery.event_log import read_log
from spikard.fsm.errors import ConfigurationError
from tests.cli.fsm.program import ORDER

CAPTURED = pytest.CaptureFixture[str]
LOG = """entity_id,state,observed_at
o-1,pending,2026-01-01T00:00:00Z
o-1,open,2026-01-01T00:01:00Z
o-1,filled,2026-01-01T00:02:00Z
o-2,pending,2026-01-01T00:00:00Z
o-2,open,2026-01-01T00:03:00Z
o-2,filled,2026-01-01T00:04:00Z
"""
XES = """<?xml version="1.0"?><log><trace><string key="concept:name" value="o-1"/>
<event><string key="concept:name" value="pending"/><date key="time:timestamp" value="2026-01-01T00:00:00Z"/></event>
<event><string key="concept:name" value="filled"/><date key="time:timestamp" value="2026-01-01T00:01:00Z"/></event>
</trace></log>"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPIKARD_FSM_DATABASE_URL", "sqlite:///fsm.db")
    Path("log.csv").write_text(LOG, encoding="utf-8")
    Path("order.yaml").write_text(ORDER, encoding="utf-8")
    assert main(["fsm", "db", "init"]) == 0


def test_from_a_log_to_a_machine(capsys: CAPTURED) -> None:
    assert main(["fsm", "discover", "observe", "order", "--from", "log.csv"]) == 0
    assert main(["fsm", "discovery", "observe", "order", "--from", "log.csv"]) == 0
    assert main(["fsm", "discovery", "observe", "order", "--entity", "o-3", "--state", "pending"]) == 0
    assert main(["fsm", "discovery", "observe", "other", "--entity", "o-3", "--state", "elsewhere"]) == 0
    assert capsys.readouterr().out.splitlines()[-4:-2] == [
        "order: 6 new of 6 observations",
        "order: 0 new of 6 observations",
    ]
    assert main(["fsm", "discovery", "preview", "order", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["selected_edges"]) == 2
    assert main(["fsm", "discovery", "build", "order"]) == 0
    assert main(["fsm", "discovery", "build", "order", "--mode", "manual", "--edge", "pending:open"]) == 0
    assert main(["fsm", "discovery", "list", "order", "--json"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("built order 0.1.0: 3 states, 2 transitions\n")
    assert main(["fsm", "discovery", "export", "order", "--version", "0.1.0", "--format", "yaml", "-o", "m.yaml"]) == 0
    machine = StateMachine.from_yaml("m.yaml")
    assert machine.process("pending", "to_open", {}).target_state == "open"
    assert main(["fsm", "discovery", "conform", "log.csv", "m.yaml"]) == 0
    for form in ("mermaid", "dot", "svg", "json"):
        assert main(["fsm", "discovery", "export", "order", "--format", form]) == 0


def test_what_cannot_be(capsys: CAPTURED) -> None:
    assert main(["fsm", "discovery", "export", "absent"]) == 1
    assert main(["fsm", "discovery", "observe", "order"]) == 2
    assert main(["fsm", "discovery", "observe", "order", "--entity", "e", "--state", "s", "--at", "noon"]) == 2
    assert main(["fsm", "discovery", "build", "order", "--mode", "manual"]) == 2
    assert main(["fsm", "discovery", "observe", "order", "--from", "absent.csv"]) == 1
    assert "Traceback" not in capsys.readouterr().err


def test_a_log_that_does_not_fit(capsys: CAPTURED) -> None:
    Path("log.xes").write_text(XES, encoding="utf-8")
    assert main(["fsm", "discovery", "conform", "log.xes", "order.yaml"]) == 3
    assert "o-1, step 2: pending -> filled: no transition leads there" in capsys.readouterr().out
    assert main(["fsm", "discovery", "conform", "log.xes", "order.yaml", "--min-fitness", "0.5"]) == 0
    assert main(["fsm", "discovery", "conform", "log.csv", "order.yaml", "--json"]) == 0
    report = json.loads(capsys.readouterr().out.partition("{")[2].join("{ "))
    assert (report["fitness"], report["precision"], report["cases"]) == (1.0, 1.0, 2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("entity_id,state\na,b\n", "log:2: there is no observed_at"),
        ("entity_id,state,observed_at\na,b,noon\n", "log:2: 'noon' is no time"),
        ('{"entity_id": "a"}\n{', "log:1: there is no state"),
        ('{"entity_id": "a", "state": "b", "at": "2026-01-01"}\n{', "log:2: the line is no JSON"),
        ("<log><trace>", "this is no XES document"),
        ('<!DOCTYPE x [<!ENTITY e "e">]><log/>', "a DTD has no place in XES"),
    ],
)
def test_logs_that_cannot_be_read(text: str, said: str) -> None:
    Path("log").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=said):
        read_log(Path("log"), "order")


def test_steps_through_choices_history_timeouts_and_compound_states() -> None:
    machine = StateMachine.from_dict(
        {
            "states": [
                {"name": "new", "type": "initial"},
                {"name": "work", "initial_child": "first", "timeout": {"seconds": 1, "destination": "late"}},
                {"name": "first", "parent": "work"},
                {"name": "second", "parent": "work"},
                {"name": "pick", "type": "choice"},
                {"name": "late"},
                {"name": "done", "type": "terminal"},
            ],
            "transitions": [
                {"trigger": "go", "source": "new", "dest": "work"},
                {"trigger": "next", "source": "first", "dest": "second"},
                {"trigger": "back", "source": "late", "dest": "H(work)"},
                {"trigger": "end", "source": "work", "dest": "pick"},
                {"trigger": "end", "source": "pick", "dest": "done", "guards": [{"expr": "ok"}]},
                {"trigger": "end", "source": "pick", "dest": "late"},
            ],
        }
    )
    rows = ["new", "first", "second", "late", "second", "done"]
    lines = [f"o,{state},2026-01-01T00:00:0{number}Z" for number, state in enumerate(rows)]
    Path("log").write_text("case,activity,time\n" + "\n".join(lines), encoding="utf-8")
    report = check_conformance(machine, read_log(Path("log"), "m"))
    assert (report.fitness, report.deviations) == (1.0, [])
    assert 0 < report.precision < 1


def test_logs_from_standard_input(capsys: CAPTURED, monkeypatch: pytest.MonkeyPatch) -> None:
    for command in (["conform", "-", "order.yaml"], ["discovery", "observe", "order", "--from", "-"]):
        monkeypatch.setattr("sys.stdin", StringIO("\ufeff" + LOG))
        assert main(["fsm", *command]) == 0
    monkeypatch.setattr("sys.stdin", StringIO("a,b\n1,2\n"))
    assert main(["fsm", "conform", "-", "order.yaml"]) == 1
    assert "<stdin>:2: there is no entity_id" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", StringIO(json.dumps({"events": [{"trigger": "ack"}]})))
    assert main(["fsm", "replay", "-", "--against", "order.yaml"]) in (0, 3)


def test_too_little_to_say_anything(capsys: CAPTURED) -> None:
    Path("empty.csv").write_text("", encoding="utf-8")
    assert main(["fsm", "conform", "empty.csv", "order.yaml"]) == 1
    assert capsys.readouterr().err == "spikard fsm: error: there are no observations in empty.csv\n"
    assert main(["fsm", "discovery", "preview", "order"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "nothing was seen of order"
    assert main(["fsm", "discovery", "observe", "order", "--entity", "o-1", "--state", "open"]) == 0
    assert main(["fsm", "discovery", "preview", "order"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "order: 1 observations, but no entity in two states"
    assert main(["fsm", "discovery", "build", "order"]) == 1
    assert "no step of order was seen often enough" in capsys.readouterr().err
    assert main(["fsm", "discovery", "list", "order"]) == 0
    assert capsys.readouterr().out == "no candidates of order\n"
