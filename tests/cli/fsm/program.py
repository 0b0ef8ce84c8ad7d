"""The command as users have it: a process of its own."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = (sys.executable, "-m", "spikard", "fsm")

ORDER = """\
meta: {machine_name: order, version: "1.0.0"}
states:
  - {name: pending, type: initial}
  - {name: open}
  - {name: filled, type: terminal}
transitions:
  - {trigger: ack, source: pending, dest: open}
  - trigger: fill
    source: open
    dest: filled
    guards: [{expr: "fill_qty >= order_qty"}]
"""


@dataclass(frozen=True)
class Ended:
    """How it ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed for programs."""
        return json.loads(self.out)


def spikard_fsm(
    *arguments: str | Path, cwd: Path, stdin: str = "", env: Mapping[str, str] | None = None, timeout: float = 50
) -> Ended:
    """Run `spikard fsm` with these arguments."""
    done = subprocess.run(
        [*PROGRAM, *map(str, arguments)],
        cwd=cwd,
        input=stdin,
        env=None if env is None else dict(env),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)
