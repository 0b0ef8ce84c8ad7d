"""`spikard fsm run`: events by hand, from a file, from a pipe."""

import json
import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest

from spikard.cli import main
from spikard.cli.fsm.trial import Trial, values_of
from spikard.fsm import StateMachine
from tests.cli.fsm.program import ORDER, PROGRAM, spikard_fsm

# Only who has the terminal as its own, and does not ignore signals as background jobs of shells do, is told of ^C.
AT_ITS_TERMINAL = """
import fcntl, os, signal, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
"""
CAPTURED = pytest.CaptureFixture[str]
LIFE = """\
meta: {machine_name: life, version: "1.0.0"}
states:
  - {name: new, type: initial, timeout: {seconds: 60, destination: late}}
  - {name: work, on_enter: [{increment: rounds}]}
  - {name: late}
  - {name: done, type: terminal}
transitions:
  - {trigger: begin, source: new, dest: work, guards: [is_ready]}
  - {trigger: again, source: work, dest: new}
  - {trigger: finish, source: work, dest: done, guards: [{expr: "rounds >= 2"}], actions: [tell]}
"""


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("order.yaml").write_text(ORDER, encoding="utf-8")
    Path("life.yaml").write_text(LIFE, encoding="utf-8")


@pytest.fixture
def trial() -> Trial:
    return Trial(StateMachine.from_yaml("life.yaml"), {})


def test_a_pipe_needs_no_terminal(tmp_path: Path) -> None:
    events = "# how an order goes\nack\n\nfill fill_qty=10 order_qty=10\n"
    done = spikard_fsm("run", "order.yaml", "--expect", "filled", cwd=tmp_path, stdin=events)
    assert (done.code, done.err) == (0, "")
    assert done.out == "pending -> open\nopen -> filled\n  this is an end: nothing leads out\n"


def test_the_end_is_compared(capsys: CAPTURED) -> None:
    Path("events").write_text("ack\nfill fill_qty=3 order_qty=10\n", encoding="utf-8")
    arguments = ["fsm", "simulate", "order.yaml", "--events", "events"]
    assert main(arguments) == 0
    assert main([*arguments, "--expect", "open"]) == 0
    assert main([*arguments, "--strict"]) == 1
    assert main([*arguments, "--expect", "filled"]) == 1
    said = capsys.readouterr()
    assert "refused by expr:fill_qty >= order_qty" in said.out
    assert said.err == "the entity is in open, not in filled\n"


def test_what_is_not_understood(capsys: CAPTURED) -> None:
    Path("events").write_text("akc\nack 7\nack 'x\nwait soon\n", encoding="utf-8")
    assert main(["fsm", "run", "order.yaml", "--events", "events"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "line 1: 'akc' is neither an event nor a command; did you mean 'ack'?",
        "line 2: '7' is not of the form key=value",
        "line 3: the line cannot be read: No closing quotation",
        "line 4: wait soon: " + capsys_tail("soon"),
    ]
    for arguments in (["--state", "x"], ["--expect", "x"], ["--context", "x"]):
        assert main(["fsm", "run", "order.yaml", *arguments]) == 2
    assert main(["fsm", "run", "order.yaml", "--events", "absent"]) == 1


def capsys_tail(text: str) -> str:
    from spikard.fsm import parse_delay

    try:
        parse_delay(text)
    except ValueError as error:
        return str(error)
    raise AssertionError(text)


def test_json_tells_of_each_step(capsys: CAPTURED) -> None:
    Path("events").write_text("ack\nfill\n", encoding="utf-8")
    arguments = ["fsm", "run", "order.yaml", "--events", "events", "--json", "--context", "order_qty=3"]
    assert main(arguments) == 0
    document = json.loads(capsys.readouterr().out)
    assert [(step["event"], step["success"]) for step in document["steps"]] == [("ack", True), ("fill", False)]
    assert (document["state"], document["context"], document["ok"]) == ("open", {"order_qty": 3}, True)


def test_time_passes_when_it_is_told_to(trial: Trial) -> None:
    assert trial.read("wait 30s") == ["30s later: nothing has happened", "  in 30s: timeout"]
    assert trial.read("wait 31") == ["new -> late"]
    assert trial.read("undo")[:2] == ["took back: wait", "new"]


def test_guards_are_answered_for(trial: Trial) -> None:
    assert trial.read("guard is_ready no") == ["guard is_ready: no"]
    assert trial.read("begin") == ["refused by is_ready"]
    assert trial.read("triggers") == ["  begin: refused by is_ready"]
    trial.read("guard is_ready yes")
    assert trial.read("begin")[0] == "new -> work  (_effect.increment)"
    with pytest.raises(ValueError, match="named guards are: is_ready"):
        trial.read("guard other no")


def test_steps_that_go_round_are_stopped_and_told_of() -> None:
    config = {
        "meta": {"machine_name": "round", "version": "1", "auto_depth": 5},
        "states": [{"name": "a", "type": "initial"}, {"name": "b"}],
        "transitions": [
            {"trigger": "go", "source": "a", "dest": "b"},
            {"auto": True, "source": "b", "dest": "a"},
            {"auto": True, "source": "a", "dest": "b"},
        ],
    }
    *steps, last = Trial(StateMachine.from_dict(config), {}).read("go")
    assert steps == ["a -> b", *["b -> a", "a -> b"] * 2, "b -> a"]
    assert last == "  stopped: more automatic steps follow each other than meta.auto_depth allows"


def test_everything_can_be_taken_back(trial: Trial) -> None:
    for line in ("begin", "set rounds=7 note=hello", "unset note", "finish"):
        trial.read(line)
    assert trial.session.current_state == "done"
    trial.read("undo")
    assert (trial.session.current_state, trial.known) == ("work", {"rounds": 7})
    trial.read("undo")
    assert trial.known == {"rounds": 7, "note": "hello"}
    trial.read("undo")
    assert trial.known == {"rounds": 1}
    trial.read("undo")
    assert trial.session.current_state == "new"
    assert trial.read("undo") == ["there is nothing to take back"]


def test_steps_become_a_scenario(trial: Trial, capsys: CAPTURED) -> None:
    for line in ("begin", "again", "begin", "finish", "save life.scenarios.yaml"):
        trial.read(line)
    capsys.readouterr()
    Path("life.yaml").write_text(LIFE.replace("guards: [is_ready]", ""), encoding="utf-8")
    assert main(["fsm", "test", "life.yaml"]) == 0
    assert capsys.readouterr().out == "1 passed\n"


def test_values() -> None:
    words = ["a=1", "b=true", "c=x y", 'd={"e": [1]}', '{"f": null}', "g=a=b"]
    expected = {"a": 1, "b": True, "c": "x y", "d": {"e": [1]}, "f": None, "g": "a=b"}
    assert values_of(words) == expected


def test_a_conversation_completes_and_remembers_lines(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm"}
    process = subprocess.Popen(
        [sys.executable, "-c", AT_ITS_TERMINAL, *PROGRAM, "run", "life.yaml"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=tmp_path,
        env=environment,
    )
    os.close(theirs)
    seen = ""

    def until(text: str) -> None:
        nonlocal seen
        while text not in seen:
            ready, _, _ = select.select([ours], [], [], 40)
            assert ready, f"{text!r} did not come: {seen!r}"
            seen += os.read(ours, 4096).decode()
        seen = seen.partition(text)[2]

    try:
        until("new> ")
        os.write(ours, b"beg\t\n")
        until("new -> work")
        until("work> ")
        os.write(ours, b"ro\x15set ro\t9\n")
        until("rounds = 9")
        until("work> ")
        os.write(ours, b"finsh\n")
        until("did you mean 'finish'?")
        # Between two prompts ^C would end the command.
        until("work> ")
        os.write(ours, b"half a line")
        until("half a line")
        os.write(ours, b"\x03")
        if not select.select([ours], [], [], 5)[0]:
            # It came between the echo and the next wait for a key, which Python takes note of at the next key only.
            os.write(ours, b"\x03")
        until("work> ")
        os.write(ours, b"fin\t\n")
        until("this is an end")
        until("done> ")
        os.write(ours, b"\x04")
        assert process.wait(40) == 0
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    assert "Traceback" not in seen
    assert sys.platform != "win32"
