"""The command line: `benches/fsm/run`."""

import argparse
import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from spikard_bench.environment import BENCHES, Environment, SetupError

FOLDER = Path(__file__).resolve().parent
PEERS = Environment("fsm", "3.11", "pystator")
LIBRARIES = ("ours", "pystator", "transitions", "python-statemachine")
# The case, what it is, and what it may take, in microseconds.
CASES = {
    "flat": ("flat machine, one event", 1.0),
    "send": ("flat, stateful `send`", 2.0),
    "check": ("guard `check:`", 1.5),
    "expression": ("guard `expr:`", 2.0),
    "nested": ("3-level hierarchy, leave to root", 1.2),
    "parallel": ("3 parallel regions, all move", 3.0),
    "session": ("create session + 2 sends", 6.0),
    "build": ("build from dict (3 states)", 40.0),
}


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(prog="benches/fsm/run", description="Time machines of several libraries.")
    arguments.add_argument("--setup", action="store_true", help="install the peers from their lock first")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument(
        "--python", type=Path, help="an interpreter that has the peers, in place of the installed one"
    )
    return arguments


def main() -> int:
    options = parser().parse_args()
    try:
        if options.setup:
            PEERS.install()
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    if options.python is None and not PEERS.ready:
        print("not installed; run with --setup", file=sys.stderr)
        return 1
    runs = [ask(options.python or PEERS.interpreter) for _ in range(options.rounds)]
    print(table(runs))
    return 0


def ask(interpreter: Path) -> dict[str, Any]:
    """One process in which every library runs every case."""
    path = os.pathsep.join([str(FOLDER), str(BENCHES.parent / "python")])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "0"}
    command = [str(interpreter), "-W", "ignore", str(FOLDER / "subjects.py")]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True, timeout=300)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def table(runs: list[dict[str, Any]]) -> str:
    """A Markdown table: the best of all rounds."""
    heads = " | ".join(f"{name} {runs[0]['versions'][name]}" for name in LIBRARIES)
    lines = [
        f"{dt.datetime.now(dt.UTC).date()}, µs per call, best of {len(runs)} rounds",
        "",
        f"| | {heads} | gate |",
        f"|---|{'---|' * len(LIBRARIES)}---|",
    ]
    for case, (text, gate) in CASES.items():
        cells = [cell([run["figures"][name].get(case) for run in runs]) for name in LIBRARIES]
        lines.append(f"| {text} | {' | '.join(cells)} | {gate} |")
    memory = min(run["extra"]["session_bytes"] for run in runs)
    large = min(run["extra"]["large_build"] for run in runs)
    lines.extend(["", f"A session: {memory:.0f} bytes (gate 500). 10,000 states: {large:.2f} s (gate 1)."])
    return "\n".join(lines)


def cell(values: list[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{min(known):.2f}" if known else ""
