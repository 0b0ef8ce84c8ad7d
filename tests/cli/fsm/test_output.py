"""What is printed where: on terminals of other times, into pipes, onto disks that are full."""

import json
import os
import re
import subprocess
import sys
import unicodedata
from itertools import pairwise
from pathlib import Path

import pytest

from spikard.cli import main
from spikard.cli.fsm.command import COMMANDS
from spikard.fsm.findings import inspect_text, to_text
from tests.cli.fsm.program import ORDER, PROGRAM, spikard_fsm

OLD_TERMINAL = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}


def pointed(description: str, *, columns: int | None = None) -> tuple[str, str]:
    """A line with a fault in it, behind a description, and the carets under it."""
    text = ORDER.replace("trigger: ack,", f'description: "{description}", trigger: ack,').replace(
        "dest: open", "dest: opn"
    )
    report = to_text([inspect_text(text)], columns=columns).splitlines()
    return report[2], report[3]


def column(shown: str, end: int) -> int:
    """How far on a terminal something stands."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in shown[:end])


@pytest.mark.parametrize("description", ["plain", "日本語 ü ←", "tab\there"])
def test_carets_stand_under_what_is_meant(description: str) -> None:
    line, carets = pointed(description)
    assert column(line, line.index("opn")) == carets.index("^")
    assert carets.count("^") == 3


def test_marks_on_letters_take_no_column() -> None:
    line, carets = pointed("e\u0301\u0301")
    assert carets.index("^") == line.index("opn") - 2


@pytest.mark.parametrize("sign", ["\x1b[31m", "\x85", "\u2028", "\u202e", "\x0c"])
def test_what_a_terminal_would_obey_is_not_printed(sign: str) -> None:
    text = ORDER.replace("dest: open", f"dest: {json.dumps('op' + sign)}").replace(
        "trigger: ack", f"trigger: 'a{sign}'"
    )
    report = to_text([inspect_text(text)])
    assert "error[" in report
    assert not [one for one in report if one != "\n" and unicodedata.category(one) in ("Cc", "Cf", "Zl", "Zp")]


def test_lines_fit_into_narrow_terminals() -> None:
    line, carets = pointed("a description", columns=40)
    assert len(line) <= 40
    assert line[carets.index("^") :].startswith("opn")
    assert len(pointed("a description")[0]) > 40


def test_terminals_that_have_not_all_signs(tmp_path: Path) -> None:
    (tmp_path / "order.yaml").write_text(
        ORDER.replace("name: open", 'name: open, description: "ü 😀"'), encoding="utf-8"
    )
    (tmp_path / "bad.yaml").write_text(ORDER.replace("dest: open", "dest: opü"), encoding="utf-8")
    bad = spikard_fsm("validate", "bad.yaml", cwd=tmp_path, env=OLD_TERMINAL)
    assert (bad.code, bad.err) == (1, "")
    assert r"op\xfc" in bad.out
    drawn = spikard_fsm("draw", "order.yaml", "--json", "--format", "plantuml", cwd=tmp_path, env=OLD_TERMINAL)
    assert "ü 😀" in drawn.json["drawing"]
    # Documents are in UTF-8, as in a file.
    command = [*PROGRAM, "convert", "order.yaml"]
    done = subprocess.run(command, cwd=tmp_path, env=OLD_TERMINAL, capture_output=True, check=True)
    assert 'description: "ü 😀"' in done.stdout.decode()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_a_disk_that_is_full_is_told_of(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*PROGRAM, "schema"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "spikard fsm: error: No space left on device\n")


def test_whoever_has_read_enough_is_left_in_peace() -> None:
    with subprocess.Popen([*PROGRAM, "schema"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""


def test_reports_of_terminals_are_as_wide_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(
        ORDER.replace("trigger: ack,", f"description: {'x' * 90}, trigger: ack,").replace("open}\n  - t", "opn}\n  - t")
    )
    monkeypatch.setenv("COLUMNS", "50")
    main(["fsm", "validate", str(path)])
    assert max(map(len, capsys.readouterr().out.splitlines()[1:])) > 100
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    main(["fsm", "validate", str(path)])
    plain = re.sub("\x1b.*?m", "", capsys.readouterr().out)
    assert max(map(len, plain.splitlines()[1:])) <= 50


@pytest.mark.parametrize("group", ["db", "machines", "discovery", "dlq"])
def test_helps_of_commands_are_sentences(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fsm", group, "--help"]) == 0
    listed = capsys.readouterr().out.partition("COMMAND\n")[2].partition("\noptions:")[0]
    names = re.findall(r"(?m)^    ([a-z-]+)", listed)
    assert names
    for name in names:
        assert main(["fsm", group, name, "--help"]) == 0
        description = capsys.readouterr().out.split("\n\n")[1]
        assert description[0].isupper()
        assert description.endswith(".")


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "null\n"])
def test_an_empty_file_is_called_so(text: str) -> None:
    assert "help: there is nothing in it" in to_text([inspect_text(text)])


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fsm", name, "--help"]) == 0
    lines = capsys.readouterr().out.partition("\noptions:\n")[2].splitlines()
    bare = [
        line
        for line, following in pairwise([*lines, ""])
        if line.startswith("  -") and not re.search(r"\S {2,}\S", line) and not following.startswith(" " * 10)
    ]
    assert bare == []
