"""The command line: `benches/transfer/run`."""

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

from spikard_bench.process import Cores, Process, StartError
from spikard_bench.server import FASTAPI, GRANIAN, OURS_311, OURS_313, UVICORN, Server, script
from transfer.transport import BLOCK, TransferError, download, upload

CASES = {
    "up, read as a stream": upload,
    "down, from a generator": lambda port, size: download(port, "/down", size),
    "down, a file": lambda port, size: download(port, "/file", size),
}


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(prog="benches/transfer/run", description="Large bodies, side by side.")
    arguments.add_argument("--ours-python", type=Path, help="ours, run by this interpreter")
    arguments.add_argument("--mebibytes", type=int, default=1024)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--allow-dev", action="store_true", help="measure a native module that is no release")
    return arguments


def rows(ours_python: Path | None, file: str, size: int) -> list[Server]:
    """The servers, each with its applications for a body of `size` bytes."""
    words = (*script("transfer_ours.py"), file, str(size))
    granian = ("-m", "granian", "--interface", "asgi", *GRANIAN, "transfer_starlette:app")
    uvicorn = ("-m", "uvicorn", *UVICORN, "transfer_starlette:app")
    ours = [
        Server("transfer-ours-3.13", "**spikard**, Python 3.13", OURS_313, words),
        Server("transfer-ours-3.11", "**spikard**, Python 3.11", OURS_311, words),
    ]
    if ours_python:
        ours = [Server("transfer-ours", "**spikard**", None, words, interpreter=ours_python.absolute())]
    return [
        *ours,
        Server("transfer-granian", "Starlette on granian", FASTAPI, granian),
        Server("transfer-uvicorn", "Starlette on uvicorn[standard]", FASTAPI, uvicorn),
    ]


def main() -> int:
    options = parser().parse_args()
    size = options.mebibytes * BLOCK
    cores = Cores()
    os.sched_setaffinity(0, {cores.load})
    results: dict[str, dict[str, list[tuple[float, float]]]] = {}
    peaks: dict[str, float] = {}
    with tempfile.NamedTemporaryFile() as file:
        for _ in range(options.mebibytes):
            file.write(bytes(BLOCK))
        file.flush()
        os.environ.update(TRANSFER_FILE=file.name, TRANSFER_SIZE=str(size))
        for server in rows(options.ours_python, file.name, size):
            if obstacle := server.obstacle(allow_dev=options.allow_dev):
                print(f"{server.title}: {obstacle}", file=sys.stderr)
                continue
            with Process(server, cores.server, "") as process:
                try:
                    process.start()
                    results[server.title] = measure(process, size, options.rounds)
                except (StartError, TransferError, OSError) as error:
                    print(f"{server.title}: {error}", file=sys.stderr)
                    continue
                peaks[server.title] = peak_bytes(process) / 2**20
    show(results, peaks, options)
    return 0 if results else 2


def measure(process: Process, size: int, rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Of each case: gibibytes per second, and the server's processor seconds for one gibibyte."""
    found: dict[str, list[tuple[float, float]]] = {}
    for _ in range(rounds):
        for title, case in CASES.items():
            before = process.cpu_seconds()
            seconds = case(process.port, size)
            share = size / 2**30
            found.setdefault(title, []).append((share / seconds, (process.cpu_seconds() - before) / share))
    return found


def peak_bytes(process: Process) -> int:
    """The most memory that was resident at once, of all processes of the server together."""
    total = 0
    for pid in process.tree():
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                total += int(line.split()[1]) * 1024
    return total


def show(
    results: dict[str, dict[str, list[tuple[float, float]]]], peaks: dict[str, float], options: argparse.Namespace
) -> None:
    print(f"\n{options.mebibytes} MiB, GiB/s (CPU seconds for a GiB), medians of {options.rounds}\n")
    print(f"| | {' | '.join(CASES)} | peak RSS MiB |")
    print("|---" * (len(CASES) + 2) + "|")
    for title, cases in results.items():
        cells = []
        for rounds in cases.values():
            speed = statistics.median(one[0] for one in rounds)
            cpu = statistics.median(one[1] for one in rounds)
            cells.append(f"{speed:.2f} ({cpu:.2f})")
        print(f"| {title} | {' | '.join(cells)} | {peaks[title]:.0f} |")
