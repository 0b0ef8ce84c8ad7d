"""The command line: `benches/siege/run`."""

import argparse
import asyncio
import contextlib
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from spikard_bench.environment import BENCHES
from spikard_bench.idle import raise_limit
from spikard_bench.process import Cores, Process, StartError
from spikard_bench.server import FASTAPI, GRANIAN, OURS_311, OURS_313, UVICORN, Server, script

SITUATIONS = {
    "": "nothing else",
    "idle": "10,000 idle connections",
    "slow": "2,000 heads that never end",
    "resets": "streams of HTTP/2, reset at once",
}
# Both versions of HTTP on the same port, as ours has them.
GRANIAN_BOTH = tuple(
    "auto" if word == "1" and GRANIAN[index - 1] == "--http" else word for index, word in enumerate(GRANIAN)
)
CLIENTS = 20


@dataclass
class Ordinary:
    """What became of ordinary requests."""

    seconds: list[float] = field(default_factory=list)
    failed: int = 0


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(prog="benches/siege/run", description="Ordinary requests under siege.")
    arguments.add_argument("--ours-python", type=Path, help="ours, run by this interpreter")
    arguments.add_argument("--seconds", type=float, default=10.0, help="of each measurement")
    arguments.add_argument("--rate", type=float, default=500.0, help="ordinary requests a second")
    arguments.add_argument("--allow-dev", action="store_true", help="measure a native module that is no release")
    return arguments


def rows(ours_python: Path | None) -> list[Server]:
    """The servers at their usual settings."""
    ours = [
        Server("siege-ours-3.13", "**spikard**, Python 3.13", OURS_313, script("ours.py")),
        Server("siege-ours-3.11", "**spikard**, Python 3.11", OURS_311, script("ours.py")),
    ]
    if ours_python:
        ours = [Server("siege-ours", "**spikard**", None, script("ours.py"), interpreter=ours_python.absolute())]
    granian = ("-m", "granian", "--interface", "asgi", *GRANIAN_BOTH, "fastapi_app:app")
    uvicorn = ("-m", "uvicorn", *UVICORN, "fastapi_app:app")
    return [
        *ours,
        Server("siege-granian", "FastAPI on granian", FASTAPI, granian),
        Server("siege-uvicorn", "FastAPI on uvicorn", FASTAPI, uvicorn, cannot={"resets": "speaks no HTTP/2"}),
    ]


def main() -> int:
    options = parser().parse_args()
    raise_limit(12_000)
    cores = Cores()
    os.sched_setaffinity(0, {cores.load})
    print(f"{options.rate:.0f} ordinary requests a second for {options.seconds:.0f} s, while there are …\n")
    print("| | … | answered | failed | p50 / p99 / max ms | CPU % | RSS MiB |\n|---|---|---|---|---|---|---|")
    measured = False
    for server in rows(options.ours_python):
        if obstacle := server.obstacle(allow_dev=options.allow_dev):
            print(f"{server.title}: {obstacle}", file=sys.stderr)
            continue
        for kind, title in SITUATIONS.items():
            if reason := server.cannot.get(kind):
                print(f"| {server.title} | {title} | {reason} | | | | |")
                continue
            # A process for each, so that no situation inherits another's memory.
            with Process(server, cores.server, "redis://127.0.0.1:6379") as process:
                try:
                    process.start()
                    cells = measure(process, kind, options)
                    measured = True
                except (StartError, OSError) as error:
                    cells = f"{error} | | | |"
                print(f"| {server.title} | {title} | {cells} |", flush=True)
    return 0 if measured else 2


def measure(process: Process, kind: str, options: argparse.Namespace) -> str:
    """The cells of one row."""
    with attack(kind, process.port):
        cpu, began = process.cpu_seconds(), time.perf_counter()
        ordinary = asyncio.run(ask(process.port, options.rate, options.seconds))
        share = (process.cpu_seconds() - cpu) / (time.perf_counter() - began)
        memory = process.rss_bytes() / 2**20
        if not process.alive():
            return "the server ended | | | |"
    times = sorted(ordinary.seconds) or [0.0]
    p50, p99 = statistics.median(times), times[int(len(times) * 0.99) - 1]
    latency = " / ".join(f"{one * 1000:.1f}" for one in (p50, p99, times[-1]))
    return f"{len(ordinary.seconds)} | {ordinary.failed} | {latency} | {share * 100:.0f} | {memory:.0f}"


@contextlib.contextmanager
def attack(kind: str, port: int) -> Iterator[None]:
    """The attack under way, with less right to the load's core than the ordinary requests have."""
    if not kind:
        yield
        return
    command = ["nice", "-n", "10", sys.executable, "-m", "siege.attack", kind, str(port)]
    with subprocess.Popen(command, cwd=BENCHES, stdout=subprocess.PIPE) as attacker:
        try:
            assert attacker.stdout is not None
            if attacker.stdout.readline() != b"begun\n":
                raise StartError("the attack did not begin")
            yield
        finally:
            attacker.kill()


async def ask(port: int, rate: float, seconds: float) -> Ordinary:
    """Requests at a fixed rate over kept connections; times count from when each was due."""
    ordinary = Ordinary()
    async with asyncio.TaskGroup() as group:
        for index in range(CLIENTS):
            group.create_task(client(port, ordinary, CLIENTS / rate, index / rate, seconds))
    return ordinary


async def client(port: int, ordinary: Ordinary, pause: float, offset: float, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    due = loop.time() + offset
    end = loop.time() + seconds
    reader: asyncio.StreamReader | None = None
    writer: asyncio.StreamWriter | None = None
    while due < end:
        await asyncio.sleep(due - loop.time())
        try:
            async with asyncio.timeout(10):
                if reader is None or writer is None:
                    reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n")
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
                await reader.readexactly(length)
            if not head.startswith(b"HTTP/1.1 200"):
                raise ConnectionError(head[:40])
            ordinary.seconds.append(loop.time() - due)
        except (OSError, asyncio.IncompleteReadError, ValueError):
            ordinary.failed += 1
            if writer is not None:
                writer.close()
            reader = writer = None
        due += pause
    if writer is not None:
        writer.close()
