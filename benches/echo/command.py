"""The command line: `benches/echo/run`."""

import argparse
import asyncio
import os
import statistics
import sys
import time
from pathlib import Path

from echo.client import Echoes
from spikard_bench.idle import raise_limit
from spikard_bench.process import Cores, Process, StartError
from spikard_bench.server import FASTAPI, GRANIAN, OURS_313, UVICORN, Server, script

GRANIAN_WS = tuple(word for word in GRANIAN if word != "--no-ws")
UVICORN_WS = (*UVICORN, "--ws", "websockets", "--ws-per-message-deflate", "false")


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(prog="benches/echo/run", description="Echoing WebSockets, side by side.")
    arguments.add_argument("--ours-python", type=Path, help="ours, run by this interpreter")
    arguments.add_argument("--sockets", type=int, default=1000)
    arguments.add_argument("--size", type=int, default=64, help="bytes of a message")
    arguments.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--allow-dev", action="store_true", help="measure a native module that is no release")
    return arguments


def rows(ours_python: Path | None) -> list[tuple[str, str, Server]]:
    """Title, path and server of each row."""
    environment = None if ours_python else OURS_313
    interpreter = ours_python.absolute() if ours_python else None
    ours = Server("echo-ours", "spikard", environment, script("echo_ours.py"), interpreter=interpreter)
    granian = ("-m", "granian", "--interface", "asgi", *GRANIAN_WS, "echo_starlette:app")
    uvicorn = ("-m", "uvicorn", *UVICORN_WS, "echo_starlette:app")
    return [
        ("spikard, a call for each message", "/messages", ours),
        ("spikard, a call for the connection", "/connection", ours),
        ("Starlette on granian", "/connection", Server("echo-granian", "granian", FASTAPI, granian)),
        ("Starlette on uvicorn, websockets", "/connection", Server("echo-uvicorn", "uvicorn", FASTAPI, uvicorn)),
    ]


def main() -> int:
    options = parser().parse_args()
    raise_limit(options.sockets + 200)
    cores = Cores()
    os.sched_setaffinity(0, {cores.load})
    if not cores.apart:
        print("one core for servers and clients: the figures mean little", file=sys.stderr)
    table = rows(options.ours_python)
    results: dict[str, list[tuple[float, float, float]]] = {}
    for round_number in range(options.rounds):
        # Another one first each time.
        for title, path, server in table[round_number % len(table) :] + table[: round_number % len(table)]:
            if obstacle := server.obstacle(allow_dev=options.allow_dev):
                if round_number == 0:
                    print(f"{title}: {obstacle}", file=sys.stderr)
                continue
            with Process(server, cores.server, "") as process:
                try:
                    process.start()
                except StartError as error:
                    print(f"{title}: {error}", file=sys.stderr)
                    continue
                results.setdefault(title, []).append(measure(process, path, options))
    show(results, options)
    return 0 if results else 2


def measure(process: Process, path: str, options: argparse.Namespace) -> tuple[float, float, float]:
    """Messages per second, CPU microseconds for each, and kilobytes of memory for each socket."""
    empty = process.rss_bytes()

    async def run() -> tuple[float, float, float]:
        echoes = Echoes(process.port, path, options.size)
        await echoes.open(options.sockets)
        # Warm, and all of them at it.
        await asyncio.sleep(1)
        count, cpu, began = echoes.count, process.cpu_seconds(), time.perf_counter()
        await asyncio.sleep(options.seconds)
        count, cpu, seconds = echoes.count - count, process.cpu_seconds() - cpu, time.perf_counter() - began
        memory = (process.rss_bytes() - empty) / options.sockets / 1024
        echoes.close()
        if echoes.wrong or not count:
            raise SystemExit(f"{process.server.name}: {echoes.wrong} wrong echoes, {count} right ones")
        return count / seconds, cpu / count * 1e6, memory

    return asyncio.run(run())


def show(results: dict[str, list[tuple[float, float, float]]], options: argparse.Namespace) -> None:
    print(f"\n{options.sockets} WebSockets, {options.size} bytes, medians of {options.rounds} (lowest – highest)\n")
    print("| | messages/s | CPU µs/message | KiB/socket |")
    print("|---|---|---|---|")
    for title, rounds in results.items():
        cells = []
        for column, digits in ((0, 0), (1, 1), (2, 1)):
            values = [one[column] for one in rounds]
            low, middle, high = min(values), statistics.median(values), max(values)
            cells.append(f"{middle:,.{digits}f} ({low:,.{digits}f} – {high:,.{digits}f})")
        print(f"| {title} | {' | '.join(cells)} |")
