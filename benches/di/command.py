"""The command line: `benches/di/run`."""

import argparse
import datetime as dt
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from spikard_bench.environment import BENCHES, Environment, SetupError

SUBJECTS = Path(__file__).resolve().parent / "subjects"
PEERS = {name: Environment(name, "3.11", name) for name in ("dishka", "wireup")}
CASES = {
    "scope": "open a scope, resolve the graph, close",
    "singleton": "a singleton that is there",
    "transient": "a transient that needs it",
    "handler": "an async handler called with the graph",
}


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(prog="benches/di/run", description="Resolve a graph with several containers.")
    arguments.add_argument("--setup", action="store_true", help="install the peers from their locks first")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--ours-python", type=Path, default=Path(sys.executable), help="runs ours, and plain calls")
    return arguments


def main() -> int:
    options = parser().parse_args()
    try:
        if options.setup:
            for peer in PEERS.values():
                peer.install()
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    missing = [name for name, peer in PEERS.items() if not peer.ready]
    if missing:
        print(f"not installed: {', '.join(missing)}; run with --setup", file=sys.stderr)
        return 1
    interpreters = {"plain": options.ours_python, "ours": options.ours_python}
    interpreters |= {name: peer.interpreter for name, peer in PEERS.items()}
    print(table(measured(interpreters, options.rounds)))
    return 0


def measured(interpreters: dict[str, Path], rounds: int) -> dict[str, list[dict[str, float]]]:
    """Figures of each round by subject; another one begins each time."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in interpreters}
    names = list(interpreters)
    for number in range(rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            found[name].append(ask(interpreters[name], name))
    return found


def ask(interpreter: Path, name: str) -> dict[str, float]:
    """One run of a subject in a process of its own: microseconds by case, and its version."""
    paths = [str(SUBJECTS), *([str(BENCHES.parent / "python")] if name == "ours" else [])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONHASHSEED": "0"}
    command = [str(interpreter), str(SUBJECTS / f"{name}_subject.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def table(found: dict[str, list[dict[str, float]]]) -> str:
    """A Markdown table: medians, and lowest to highest."""
    heads = [f"{name} {runs[0]['version']}".strip() for name, runs in found.items()]
    summary = f"median (lowest to highest) of {len(found['ours'])} rounds"
    lines = [
        f"{dt.datetime.now(dt.UTC).date()}, Python {sys.version.split()[0]}, µs, {summary}",
        "",
        f"| | {' | '.join(heads)} |",
        f"|---|{'---|' * len(heads)}",
    ]
    for case, text in CASES.items():
        cells = [cell([run[case] for run in runs if run[case] is not None]) for runs in found.values()]
        lines.append(f"| {text} | {' | '.join(cells)} |")
    return "\n".join(lines)


def cell(values: list[float]) -> str:
    if not values:
        return ""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"
