"""The command line: `benches/soak/run`."""

import argparse
import asyncio
import os
import statistics
import sys
import time
from pathlib import Path
from random import Random

from soak.connection import Connection, Tally
from soak.specimen import hostile, valid
from spikard_bench.idle import raise_limit
from spikard_bench.process import Cores, Process, StartError
from spikard_bench.server import SERVERS, Server, ours

# A leak grows with every round; an allocator's habits don't. The tolerance covers the latter.
GROWTH_SHARE = 1.05
GROWTH_BYTES = 2 * 2**20
MAX_SHOWN = 10


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(prog="benches/soak/run", description="Hostile traffic against one server.")
    arguments.add_argument("--server", default="ours-3.13", help=", ".join(server.name for server in SERVERS))
    arguments.add_argument("--ours-python", type=Path, help="ours, run by this interpreter")
    arguments.add_argument("--rounds", type=int, default=10)
    arguments.add_argument("--requests", type=int, default=100_000, help="per round")
    arguments.add_argument("--connections", type=int, default=1000)
    arguments.add_argument("--hostile", type=float, default=0.01, help="share of malformed requests")
    arguments.add_argument("--seed", type=int, default=1)
    return arguments


def main() -> int:
    options = parser().parse_args()
    server = ours(options.ours_python.absolute()) if options.ours_python else find(options.server)
    if server is None:
        print(f"no server {options.server}", file=sys.stderr)
        return 2
    if obstacle := server.obstacle(allow_dev=True):
        print(f"{server.name}: {obstacle}", file=sys.stderr)
        return 2
    raise_limit(options.connections + 200)
    cores = Cores()
    os.sched_setaffinity(0, {cores.load})
    print(f"{server.name}: {options.requests} requests over {options.connections} connections, seed {options.seed}")
    with Process(server, cores.server, os.environ.get("REDIS_URL", "redis://127.0.0.1:6379")) as process:
        try:
            process.start()
        except StartError as error:
            print(error, file=sys.stderr)
            return 2
        return soak(process, options)


def find(name: str) -> Server | None:
    return next((server for server in SERVERS if server.name == name), None)


def soak(process: Process, options: argparse.Namespace) -> int:
    """All rounds; the exit code is 1 when a valid request was lost, the server ended, hung or grew."""
    memory = []
    well = True
    for number in range(1, options.rounds + 1):
        began = time.perf_counter()
        tally = asyncio.run(one_round(process.port, options, number))
        seconds = time.perf_counter() - began
        if not process.alive():
            print(f"round {number}: THE SERVER ENDED; the end of its log is in {process.log}")
            return 1
        memory.append(process.rss_bytes())
        print(
            f"round {number:2}: {tally.answered} answered, {len(tally.lost)} lost; malformed: {tally.refused} refused,"
            f" {tally.closed} closed, {tally.abandoned} abandoned, {len(tally.unmoved)} not refused;"
            f" {seconds:.1f} s, RSS {memory[-1] / 2**20:.1f} MiB, {descriptors(process)} descriptors",
            flush=True,
        )
        for line in (tally.lost + tally.unmoved)[:MAX_SHOWN]:
            print(f"    {line}")
        well = well and not tally.lost and not tally.unmoved
    return 0 if flat(memory) and well else 1


def flat(memory: list[int]) -> bool:
    """Compare the last third with the rounds before it; the first round only fills caches."""
    if len(memory) < 4:
        print("too few rounds to judge the memory")
        return True
    third = max(1, (len(memory) - 1) // 3)
    early, late = statistics.median(memory[1 : 1 + third]), statistics.median(memory[-third:])
    good = late <= early * GROWTH_SHARE + GROWTH_BYTES
    print(f"memory {'flat' if good else 'GROWS'}: {early / 2**20:.1f} → {late / 2**20:.1f} MiB")
    return good


async def one_round(port: int, options: argparse.Namespace, number: int) -> Tally:
    """Every client has its own generator, so what it sends doesn't depend on the timing of the others."""
    tally = Tally()
    share, extra = divmod(options.requests, options.connections)
    async with asyncio.TaskGroup() as group:
        for index in range(options.connections):
            random = Random(f"{options.seed}/{number}/{index}")
            count = share + (1 if index < extra else 0)
            group.create_task(client(Connection(port, tally, random), random, count, options.hostile))
    return tally


async def client(connection: Connection, random: Random, count: int, hostile_share: float) -> None:
    for _ in range(count):
        await connection.send(hostile(random) if random.random() < hostile_share else valid(random))
    connection.close()


def descriptors(process: Process) -> int:
    """Open files of the whole tree; connections that were never closed show here."""
    total = 0
    for pid in process.tree():
        total += len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return total
