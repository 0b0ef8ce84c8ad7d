"""The command line: `benches/fsm/run`."""

import argparse
import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from fsm.chart import draw
from fsm.summary import BEGIN, END, Summary
from spikard_bench import machine
from spikard_bench.environment import BENCHES, Environment, SetupError, build_wheel, current_revision, run

FOLDER = Path(__file__).resolve().parent
RESULTS = BENCHES / "results"
# Ours stands beside the peers: one process runs them all.
TOGETHER = Environment("fsm", "3.11", "pystator")


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(prog="benches/fsm/run", description="Time machines of several libraries.")
    arguments.add_argument(
        "--setup", action="store_true", help="install the peers from their lock, and a wheel of ours"
    )
    arguments.add_argument("--processes", type=int, default=3, help="one after the other")
    arguments.add_argument("--rounds", type=int, default=5, help="in each process")
    arguments.add_argument("--update", action="store_true", help="write results, chart and the table of the README")
    arguments.add_argument(
        "--python",
        type=Path,
        help="an interpreter that has the peers and msgspec; ours is what lies in this repository",
    )
    return arguments


def main() -> int:
    options = parser().parse_args()
    try:
        if options.setup:
            set_up()
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    if options.python is None and not TOGETHER.ready:
        print("not installed; run with --setup", file=sys.stderr)
        return 1
    loads = [os.getloadavg()[0]]
    runs = []
    for number in range(options.processes):
        runs.append(ask(options.python, options.rounds, number))
        loads.append(os.getloadavg()[0])
    summary = Summary.of(
        runs, {**machine.describe(), "load": " to ".join(f"{load:.1f}" for load in (min(loads), max(loads)))}
    )
    print(summary.markdown())
    if any(one["profile"] != "release" for one in runs):
        print("The extension is not built for release: the figures of ours mean nothing.", file=sys.stderr)
        return 1
    if options.update:
        update(summary)
    return 0


def set_up() -> None:
    """The peers from their lock, then ours as users get it."""
    TOGETHER.install()
    wheel = build_wheel(current_revision())
    pip = [str(TOGETHER.interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run([*pip, "--no-deps", "--force-reinstall", str(wheel)])


def ask(python: Path | None, rounds: int, number: int) -> dict[str, Any]:
    """One process in which every library runs every case; another one begins each time."""
    paths = [str(FOLDER)] if python is None else [str(FOLDER), str(BENCHES.parent / "python")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONHASHSEED": "0"}
    interpreter = str(python or TOGETHER.interpreter)
    command = [interpreter, "-W", "ignore", str(FOLDER / "timing.py"), str(rounds), str(number)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True, timeout=900)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def update(summary: Summary) -> None:
    """Keep the results where readers look for them."""
    RESULTS.mkdir(exist_ok=True)
    kept = {"date": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), **summary.plain()}
    (RESULTS / "fsm.json").write_text(json.dumps(kept, indent=1) + "\n")
    (RESULTS / "fsm.svg").write_text(draw(summary))
    readme = BENCHES / "README.md"
    before, _, rest = readme.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    readme.write_text(f"{before}{BEGIN}\n\n{summary.markdown()}\n\n![{summary.title}](results/fsm.svg)\n\n{END}{after}")
