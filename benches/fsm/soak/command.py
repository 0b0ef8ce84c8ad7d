"""The command line: `benches/fsm/soak/run`."""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import asyncpg
from spikard.fsm import DatabaseEventSource, Orchestrator, PostgresStateStore, StateMachine, WorkerEvent

from fsm.million.command import LEFT, database, execute, say

FOLDER = Path(__file__).resolve().parent
NAME = "bench_soak"
# An event that comes out of its turn, or twice, does not pass, and becomes a dead letter.
IN_TURN = {"expr": "number == steps"}
DEFINITION: dict[str, Any] = {
    "meta": {"machine_name": NAME, "version": "1"},
    "states": [{"name": "on", "type": "initial"}, {"name": "off"}],
    "transitions": [
        {"trigger": "tick", "source": source, "dest": dest, "guards": [IN_TURN], "actions": [{"increment": "steps"}]}
        for source, dest in (("on", "off"), ("off", "on"))
    ],
}
# How much larger the workers may be in the last third of the events than they were in the middle one.
MOST_GROWN_MB = 16.0


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(prog="benches/fsm/soak/run", description="Many events through several workers.")
    arguments.add_argument("--url", default="postgresql://postgres@127.0.0.1:5432/postgres", help="where databases are")
    arguments.add_argument("--workers", type=int, default=4)
    arguments.add_argument("--events", type=int, default=10_000, help="for each worker")
    arguments.add_argument("--entities", type=int, default=400)
    arguments.add_argument("--minutes", type=float, default=30, help="after which it is given up")
    return arguments


def main() -> int:
    options = parser().parse_args()
    with ExitStack() as stack:
        url = stack.enter_context(database(options.url))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "machine.json").write_text(json.dumps(DEFINITION))
        each = options.workers * options.events // options.entities
        prepare(url, options.entities)
        asyncio.run(submit(url, options.entities, each))
        say(f"{options.entities * each} events submitted")
        workers = [
            stack.enter_context(subprocess.Popen([sys.executable, str(FOLDER / "worker.py"), url, str(folder)]))
            for _ in range(options.workers)
        ]
        stack.callback(lambda: [worker.kill() for worker in workers])
        figures = asyncio.run(watch(url, workers, options.entities * each, options.minutes * 60))
        figures["exit_codes"] = [ended(worker) for worker in workers]
        figures["faults"] += asyncio.run(faults(url, options.entities, each))
    figures["faults"] += [f"a worker ended with {code}" for code in figures["exit_codes"] if code]
    print(json.dumps(figures, indent=2))
    return 0 if not figures["faults"] else 1


def prepare(url: str, entities: int) -> None:
    """The entities, each at its beginning."""
    store = PostgresStateStore(url)
    store.connect(auto_initialize=True)
    with store:
        Orchestrator(StateMachine.from_dict(DEFINITION), store).create_many(
            (f"s{number:05d}", {"steps": 0}) for number in range(entities)
        )


async def submit(url: str, entities: int, each: int) -> None:
    """All events, an entity's in their order."""
    source = DatabaseEventSource(url)
    for turn in range(each):
        await source.submit_many(
            [WorkerEvent(NAME, f"s{number:05d}", "tick", context={"number": turn}) for number in range(entities)]
        )
    await source.close()
    await execute(url, "VACUUM ANALYZE")


async def watch(url: str, workers: list[subprocess.Popen[bytes]], number: int, seconds: float) -> dict[str, Any]:
    """Look at the workers until nothing waits any more: how long it took, and how large they were meanwhile."""
    started, sizes, wrong = time.perf_counter(), [], []
    connection = await asyncpg.connect(url)
    while left := await connection.fetchval(LEFT):
        sizes.append((1 - left / number, max(megabytes(worker.pid) for worker in workers)))
        if time.perf_counter() - started > seconds or any(worker.poll() is not None for worker in workers):
            wrong.append(f"{left} events are stuck")
            break
        await asyncio.sleep(0.5)
    await connection.close()
    took = time.perf_counter() - started
    middle = max((mb for done, mb in sizes if 1 / 3 <= done < 2 / 3), default=0.0)
    last = max((mb for done, mb in sizes if done >= 2 / 3), default=0.0)
    if last - middle > MOST_GROWN_MB:
        wrong.append(f"workers have grown from {middle:.0f} to {last:.0f} MB")
    return {
        "events": number, "workers": len(workers), "seconds": round(took, 1), "per_second": round(number / took),
        "middle_third_mb": round(middle, 1), "last_third_mb": round(last, 1), "faults": wrong,
    }  # fmt: skip


def megabytes(pid: int) -> float:
    """What a process holds in memory."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), 0.0)


def ended(worker: subprocess.Popen[bytes]) -> int:
    """Have a worker stop by itself; its exit code."""
    worker.terminate()
    return worker.wait(60)


async def faults(url: str, entities: int, each: int) -> list[str]:
    """What is other than it should be: every event applied once and in its turn, and nothing given up."""
    connection = await asyncpg.connect(url)
    row = await connection.fetchrow(STATE_OF_AFFAIRS, str(each))
    await connection.close()
    number = entities * each
    wanted = {"entities": entities, "lines": number, "completed": number, "dead_letters": 0}
    return [f"{name}: {row[name]}, not {right}" for name, right in wanted.items() if row[name] != right]


STATE_OF_AFFAIRS = """
SELECT (SELECT count(*) FROM spikard_fsm.entity_states WHERE context_json->>'steps' = $1) AS entities,
       (SELECT count(DISTINCT event_id) FROM spikard_fsm.transition_history) AS lines,
       (SELECT count(*) FROM spikard_fsm.worker_events WHERE status = 'completed') AS completed,
       (SELECT count(*) FROM spikard_fsm.dead_letter_queue) AS dead_letters
"""
