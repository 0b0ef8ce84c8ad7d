"""Talking with a bot in the terminal."""

import subprocess
import sys
from pathlib import Path

import pytest

import spikard
from tests.bots.examples.program import EXAMPLES

TALK = """/teas
:press ▶
:p Darjeeling
:press nothing
:as bob@corp.example
/teas
:nonsense
:quit
never said
"""
HEARD = """Which tea?
  [Assam]
  [Ceylon]
  [1/3] [▶]
(edited) Which tea?
  [Darjeeling]
  [Keemun]
  [◀] [2/3] [▶]
(edited) 100 g of Darjeeling
  [100 g more]
  [Darjeeling is in the basket]
  ! LookupError: ann@corp.example sees no button 'nothing'; there are: 100 g more
Which tea?
  [Assam]
  [Ceylon]
  [1/3] [▶]
What you type is sent to the bot."""


def talk(folder: Path, program: str, said: str, *arguments: str) -> str:
    """What is heard when this is said."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "spikard", "bot", "chat", program, *arguments],
        check=False, capture_output=True, input=said, text=True, timeout=100, cwd=folder,
        env={"PYTHONPATH": str(Path(spikard.__file__).parents[1]), "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.timeout(120)
def test_buttons_and_somebody_else(tmp_path: Path) -> None:
    heard = talk(tmp_path, str(EXAMPLES / "keyboard.py"), TALK)
    assert heard.startswith(HEARD), heard
    assert "never" not in heard


@pytest.mark.timeout(120)
def test_states_files_and_faults(tmp_path: Path) -> None:
    heard = talk(tmp_path, str(EXAMPLES / "form.py"), "/leave\n5\n:state\n:wait 10\nrest", "--as", "eve@corp")
    assert heard.splitlines() == [
        "How many days?", "What for?", "  Leave:reason {'days': 5}", "Requested: 5 days, rest.",
    ]  # fmt: skip
    (tmp_path / "list.txt").write_text("tea")
    heard = talk(tmp_path, str(EXAMPLES / "files.py"), ":file list.txt\n:file none.txt\n/report\n")
    assert heard.splitlines() == [
        "list.txt: 3 bytes", "  ! none.txt cannot be read: No such file or directory",
        "<report.csv>", "What is in the inbox",
    ]  # fmt: skip
