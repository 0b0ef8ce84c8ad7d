"""The command line: `benches/bots/run`."""

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

HERE = Path(__file__).resolve().parent


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(prog="benches/bots/run", description=__doc__)
    arguments.add_argument("--messages", type=int, default=10_000)
    arguments.add_argument("--chats", type=int, default=500)
    arguments.add_argument("--rate", type=float, default=200.0, help="of the bots together, per second")
    arguments.add_argument("--burst", type=float, default=5.0)
    arguments.add_argument("--window", type=int, default=220, help="how many calls the server takes in any second")
    arguments.add_argument("--latency", type=float, default=0.005, help="of each call, in seconds")
    arguments.add_argument("--faults", type=float, default=0.0, help="which share of the calls fails")
    arguments.add_argument("--processes", type=int, default=1, help="more than one share the limit over --redis")
    arguments.add_argument("--redis", default="", help="where the limit is kept, like redis://127.0.0.1:6379/0")
    return arguments


def main() -> int:
    options = parser().parse_args()
    if options.processes > 1 and not options.redis:
        parser().error("processes share a limit over --redis")
    if options.chats % options.processes:
        parser().error("each process has chats of its own: --chats is a multiple of --processes")
    serving = [options.window, 1.0, options.latency, options.faults, 4 * options.messages]
    with program("server.py", *map(str, serving)) as server:
        place = json.loads(told(server))
        rows = sent(options, place)
        assert server.stdin is not None
        server.stdin.close()
        seen = json.loads(told(server))
    best = (options.messages - options.burst) / options.rate
    table = {
        "messages": options.messages,
        "processes": options.processes,
        "calls that were made to fail": f"{options.faults:.0%}",
        "at the server": seen["sent"],
        "more than once at the server": seen["sent"] - seen["different"],
        "given up": sum(row["failed"] for row in rows),
        "refused for being too many (429)": seen["refused"],
        "came again and were dropped": seen["duplicates"],
        "chats out of order": seen["chats_out_of_order"],
        "seconds": f"{(taken := max(row['taken'] for row in rows)):.2f}",
        "best possible without faults": f"{best:.2f}",
        "above it": f"{(taken / best - 1) * 100:.1f} %",
        "loop late, p99": f"{statistics.quantiles([x for row in rows for x in row['lags']], n=100)[98] * 1000:.1f} ms",
    }
    for name, value in table.items():
        print(f"{name:34} {value}")
    is_whole = seen["sent"] == seen["different"] == options.messages
    is_clean = not (seen["duplicates"] or seen["refused"]) or options.faults
    return 0 if is_whole and is_clean and not seen["chats_out_of_order"] else 1


def sent(options: argparse.Namespace, place: dict[str, str]) -> list[dict[str, Any]]:
    """What each process tells; all begin at once."""
    key = f"bench-{uuid4().hex}"
    with ExitStack() as stack:
        processes = []
        for first in range(options.processes):
            # Each has chats of its own: between processes there is no order.
            given = {**vars(options), **place, "key": key, "first": first, "step": options.processes}
            given["timeout"] = 1.0 if options.faults else 30.0
            processes.append(stack.enter_context(program("sender.py", json.dumps(given))))
        for process in processes:
            told(process)
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        return [json.loads(told(process)) for process in processes]


@contextmanager
def program(name: str, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, str(HERE / name), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process


def told(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"{process.args} has ended with {process.wait()}")
    return line
