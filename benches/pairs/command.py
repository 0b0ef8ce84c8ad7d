"""The command line: `benches/pairs/run`.

A machine changes its speed more between two minutes than two builds differ, so both run at the same time and are
loaded in turns, a second each, first the one and then the other, then the other way round. What counts is the ratio
within such a round. With `--one-core` the load runs on the server's own core: every wake-up then stays there, and the
server finds as many requests waiting as there are connections, whichever build answers faster. From a core of its own
an idle load generator must be woken for each answer, which costs the server more than some builds differ by.
"""

import argparse
import statistics
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from spikard_bench.case import CASES, Case
from spikard_bench.load import LoadError, saturate
from spikard_bench.process import Cores, Process, StartError
from spikard_bench.server import Server

BUILDS = ("before", "after")
# Of each case what a request costs before and after, round by round.
Pairs = dict[str, list[tuple[float, float]]]


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(prog="benches/pairs/run", description="Compare two builds of Spikard in turns.")
    for build in BUILDS:
        arguments.add_argument(f"--{build}", type=Path, required=True, help="an interpreter with that build installed")
    arguments.add_argument("--cases", nargs="+", default=["hello", "body", "invalid"], choices=[c.name for c in CASES])
    arguments.add_argument("--starts", type=int, default=3, help="how often both servers are started anew")
    arguments.add_argument("--rounds", type=int, default=4, help="rounds after each start; a round loads each twice")
    arguments.add_argument("--one-core", action="store_true", help="load from the server's own core")
    return arguments


def main() -> int:
    options = parser().parse_args()
    cases = [case for case in CASES if case.name in options.cases]
    found: Pairs = {case.name: [] for case in cases}
    try:
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("in turns", total=options.starts * len(cases) * options.rounds)
            for _ in range(options.starts):
                for case, pair in pairs(options, cases):
                    found[case.name].append(pair)
                    progress.advance(task)
    except (LoadError, StartError) as error:
        print(error, file=sys.stderr)
        return 1
    print(table(cases, found))
    return 0


def pairs(options: argparse.Namespace, cases: list[Case]) -> Iterator[tuple[Case, tuple[float, float]]]:
    """What a request costs before and after, round by round, of two servers started for it."""
    cores = Cores()
    load = cores.server if options.one_core else cores.load
    with ExitStack() as stack:
        before, after = (stack.enter_context(process(build, options, cores)) for build in BUILDS)
        for server in (before, after):
            server.start()
        for case in cases:
            for server in (before, after):
                saturate(case, server.port, 1, load)
            for number in range(options.rounds):
                outer, inner = (before, after) if number % 2 else (after, before)
                spent: dict[Process, list[float]] = {before: [], after: []}
                for server in (outer, inner, inner, outer):
                    spent[server].append(cost(server, case, load))
                yield case, (statistics.fmean(spent[before]), statistics.fmean(spent[after]))


def process(build: str, options: argparse.Namespace, cores: Cores) -> Process:
    row = Server(build, build, None, ("ours.py", "PORT"), interpreter=getattr(options, build))
    return Process(row, cores.server, "redis://127.0.0.1:6379")


def cost(server: Process, case: Case, core: int) -> float:
    """Microseconds of the server's processor time for a request, over one second of load."""
    began = server.cpu_seconds()
    done = saturate(case, server.port, 1, core)
    return (server.cpu_seconds() - began) / done.requests * 1e6


def table(cases: list[Case], found: Pairs) -> str:
    lines = [
        "| CPU µs/request | before, median (lowest) | after, median (lowest) | ratio, median (quartiles) |",
        "|---|---|---|---|",
    ]
    for case in cases:
        seen = found[case.name]
        ratios = [after / before for before, after in seen]
        low, middle, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
        sides = [[pair[side] for pair in seen] for side in range(2)]
        cells = [f"{statistics.median(side):.2f} ({min(side):.2f})" for side in sides]
        lines.append(f"| {case.title} | {cells[0]} | {cells[1]} | {middle:.3f} ({low:.3f} to {high:.3f}) |")
    return "\n".join(lines)
