"""What a type checker makes of the stubs of machines."""

import os
import subprocess
import sys
from pathlib import Path

import spikard
from spikard.fsm import StateMachine
from spikard.fsm.config_text import read_text
from spikard.fsm.stub_file import stub_of
from spikard.fsm.submachine import resolve_submachines
from spikard.fsm.template_gallery import template_names, template_text
from tests.cli.fsm.program import ORDER

PROGRAM = """\
from typing import TYPE_CHECKING, cast

from spikard.fsm import StateMachine

if TYPE_CHECKING:
    from order_types import OrderMachine, OrderSession, State

machine = cast("OrderMachine", StateMachine.from_yaml("order.yaml"))
session: "OrderSession" = machine.create(context={"order_qty": 1})
session.ack(note="x")
session.send("fill", fill_qty=2)
here: "State" = session.current_state
done: bool = session.is_filled
"""
# Each line is a mistake that only the names of the machine give away.
MISTAKES = ('session.send("fil")', 'machine.create(initial_state="opened")', 'assert session.current_state == "filed"')


def checked(folder: Path) -> list[str]:
    """What mypy complains about, file and line and message."""
    ended = subprocess.run(
        [
            sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--no-error-summary",
            "--hide-error-context", "--cache-dir", folder / "cache", *sorted(folder.glob("*.py*")),
        ],
        cwd=folder,
        env={**os.environ, "MYPYPATH": os.pathsep.join((str(Path(spikard.__file__).parents[1]), str(folder)))},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )  # fmt: skip
    assert ended.stderr == ""
    return ended.stdout.splitlines()


def test_type_checkers_know_the_names_of_machines(tmp_path: Path) -> None:
    order = StateMachine.from_dict(read_text(ORDER).value())
    (tmp_path / "order_types.pyi").write_text(stub_of(order), encoding="utf-8")
    for name in template_names():
        machine = StateMachine.from_dict(resolve_submachines(read_text(template_text(name)).value()))
        (tmp_path / f"{name}_types.pyi").write_text(stub_of(machine), encoding="utf-8")
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    assert checked(tmp_path) == []
    program.write_text(PROGRAM + "\n".join(MISTAKES) + "\n", encoding="utf-8")
    places = [line.split(":")[:2] for line in checked(tmp_path)]
    first = PROGRAM.count("\n") + 1
    assert places == [["program.py", str(first + number)] for number in range(len(MISTAKES))]
