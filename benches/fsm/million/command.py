"""The command line: `benches/fsm/million/run`."""

import argparse
import asyncio
import datetime as dt
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import asyncpg
from spikard.fsm import DatabaseEventSource, Orchestrator, PostgresStateStore, StateMachine, WorkerEvent

from fsm.million.machine import NAME, definition, entity, trigger

FOLDER = Path(__file__).resolve().parent
BATCH_OF_SUBMISSIONS = 5000
FAULTS = 20


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(prog="benches/fsm/million/run", description="A million entities, each moved.")
    arguments.add_argument("--url", default="postgresql://postgres@127.0.0.1:5432/postgres", help="where databases are")
    arguments.add_argument("--entities", type=int, default=1_000_000)
    arguments.add_argument("--workers", type=int, default=2)
    arguments.add_argument("--kills", type=int, default=200)
    arguments.add_argument("--batch", type=int, default=200)
    arguments.add_argument("--lease", type=int, default=3, help="seconds after which a dead worker's events are taken")
    arguments.add_argument("--minutes", type=float, default=60, help="after which it is given up")
    arguments.add_argument("--peer", type=Path, help="an interpreter that has PyStator")
    arguments.add_argument("--peer-seconds", type=float, default=20)
    return arguments


def main() -> int:
    options = parser().parse_args()
    with ExitStack() as stack:
        url = stack.enter_context(database(options.url))
        receiver = stack.enter_context(Receiver())
        figures = Run(options, url, receiver, stack).whole()
    if options.peer:
        say(json.dumps(figures))
        figures["one_after_the_other"] = side_by_side(options.url, options.peer, options.peer_seconds)
    print(json.dumps(figures, indent=2))
    return 0 if not figures["faults"] else 1


@contextmanager
def database(url: str) -> Iterator[str]:
    """A database of our own."""
    name = f"bench_{uuid4().hex[:12]}"
    asyncio.run(execute(url, f"CREATE DATABASE {name}"))
    try:
        yield f"{url.rpartition('/')[0]}/{name}?sslmode=disable"
    finally:
        asyncio.run(execute(url, f"DROP DATABASE {name} WITH (FORCE)"))


async def execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


class Receiver:
    """The process that takes effects."""

    def __enter__(self) -> Self:
        command = [sys.executable, str(FOLDER / "receiver.py")]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.lines, self.http = json.loads(self._process.stdout.readline())
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def counts(self) -> dict[str, int]:
        """How often it was told, and under how many keys."""
        with socket.create_connection(("127.0.0.1", self.lines), timeout=60) as connection:
            connection.sendall(b"?\n")
            found: dict[str, int] = json.loads(connection.makefile().readline())
        return found


class Run:
    """One run, and what it has shown."""

    def __init__(self, options: argparse.Namespace, url: str, receiver: Receiver, stack: ExitStack) -> None:
        self.options, self.url, self.receiver = options, url, receiver
        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self.config = definition(f"http://127.0.0.1:{receiver.http}/effect")
        (self.folder / "machine.json").write_text(json.dumps(self.config))
        self.workers: list[subprocess.Popen[bytes]] = []
        stack.callback(self.end_workers)
        self.kills = 0

    def whole(self) -> dict[str, Any]:
        """Create, submit, advance while workers are killed, check."""
        number = self.options.entities
        figures: dict[str, Any] = {"date": str(dt.datetime.now(dt.UTC).date()), "entities": number}
        store = PostgresStateStore(self.url)
        store.connect(auto_initialize=True)
        with store:
            started = time.perf_counter()
            made = Orchestrator(StateMachine.from_dict(self.config), store).create_many(
                (entity(n), {"number": n}) for n in range(number)
            )
            figures["created_per_second"] = round(made / (time.perf_counter() - started))
            say(f"{made} entities created, {figures['created_per_second']}/s")
        started = time.perf_counter()
        asyncio.run(self.submit())
        figures["submitted_per_second"] = round(number / (time.perf_counter() - started))
        say(f"{number} events submitted, {figures['submitted_per_second']}/s")
        asyncio.run(execute(self.url, "VACUUM ANALYZE"))
        figures.update(asyncio.run(self.advance()))
        figures.update(asyncio.run(self.check()))
        return figures

    async def submit(self) -> None:
        source = DatabaseEventSource(self.url)
        for first in range(0, self.options.entities, BATCH_OF_SUBMISSIONS):
            last = min(first + BATCH_OF_SUBMISSIONS, self.options.entities)
            await source.submit_many(
                [WorkerEvent(NAME, entity(n), trigger(n), max_attempts=50) for n in range(first, last)]
            )
        await source.close()

    async def advance(self) -> dict[str, Any]:
        """Have workers do all of it, and kill one of them again and again."""
        options, chance = self.options, random.Random(7)
        self.workers = [self.worker() for _ in range(options.workers)]
        # Spread over the work, not over the time, which nobody knows beforehand.
        kill_at = sorted(chance.randrange(options.entities) for _ in range(options.kills))
        vacuuming = asyncio.create_task(self.vacuum())
        started = told = time.perf_counter()
        deadline, is_done = started + options.minutes * 60, False
        while not is_done and time.perf_counter() < deadline:
            done = self.receiver.counts()["keys"]
            if kill_at and done >= kill_at[0]:
                kill_at.pop(0)
                self.kill(chance)
            if time.perf_counter() - told > 15:
                told = time.perf_counter()
                say(f"{done} effects, {self.kills} kills, {told - started:.0f} s")
            self.revive()
            is_done = done >= options.entities and await self.nothing_left()
            await asyncio.sleep(0.02 if kill_at and done >= kill_at[0] else 0.1)
        seconds = time.perf_counter() - started
        vacuuming.cancel()
        self.end_workers()
        return {
            "seconds": round(seconds, 1), "transitions_per_second": round(options.entities / seconds),
            "kills": self.kills, "workers": options.workers, "batch": options.batch, "lease_seconds": options.lease,
        }  # fmt: skip

    async def vacuum(self) -> None:
        """Do what a server does by itself, unless that is switched off there."""
        connection = await asyncpg.connect(self.url)
        try:
            while await connection.fetchval("SHOW autovacuum") == "off":
                for table in ("worker_events", "fsm_outbox", "entity_states"):
                    await connection.execute(f"VACUUM spikard_fsm.{table}")
                await asyncio.sleep(30)
        finally:
            connection.terminate()

    async def nothing_left(self) -> bool:
        """Whether no event and no effect waits any more."""
        connection = await asyncpg.connect(self.url)
        left = await connection.fetchval(LEFT)
        await connection.close()
        return not left

    def worker(self) -> subprocess.Popen[bytes]:
        """Start a worker."""
        environment = {
            **os.environ, "RECEIVER": f"127.0.0.1:{self.receiver.lines}", "SPIKARD_FSM_HTTP_ALLOW_PRIVATE": "1",
        }  # fmt: skip
        command = [sys.executable, str(FOLDER / "worker.py"), self.url, str(self.folder)]
        return subprocess.Popen([*command, str(self.options.batch), str(self.options.lease)], env=environment)

    def kill(self, chance: random.Random) -> None:
        """End a worker in the middle of whatever it does."""
        victim = chance.choice(self.workers)
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        self.kills += 1

    def revive(self) -> None:
        """Start again what has ended."""
        self.workers = [worker if worker.poll() is None else self.worker() for worker in self.workers]

    def end_workers(self) -> None:
        """Have all workers stop by themselves."""
        for worker in self.workers:
            worker.terminate()
        for worker in self.workers:
            worker.wait(60)
        self.workers = []

    async def check(self) -> dict[str, Any]:
        """Every event applied once, every effect delivered, none under two keys."""
        number = self.options.entities
        connection = await asyncpg.connect(self.url)
        row = await connection.fetchrow(STATE_OF_AFFAIRS)
        p50, p99 = await connection.fetchrow(LATENCY)
        faults = []
        wanted = {"entities": number, "moved": number, "lines": number, "events": number, "completed": number,
                  "effects_left": 0, "dead_letters": 0}  # fmt: skip
        faults += [f"{name}: {row[name]}, not {right}" for name, right in wanted.items() if row[name] != right]
        version = await connection.fetchval("SHOW server_version")
        await connection.close()
        counts = self.receiver.counts()
        if counts["keys"] != number:
            faults.append(f"effects under {counts['keys']} keys, not {number}")
        return {
            "claimed_to_kept_p50_ms": round(p50, 1), "claimed_to_kept_p99_ms": round(p99, 1), "effects": counts,
            "delivered_again": counts["deliveries"] - counts["keys"], "postgres": version.split()[0],
            "python": sys.version.split()[0], "faults": faults,
        }  # fmt: skip


LEFT = """
SELECT (SELECT count(*) FROM spikard_fsm.fsm_outbox)
       + (SELECT count(*) FROM spikard_fsm.worker_events WHERE status IN ('pending', 'claimed'))
"""
STATE_OF_AFFAIRS = """
SELECT (SELECT count(*) FROM spikard_fsm.entity_states) AS entities,
       (SELECT count(*) FROM spikard_fsm.entity_states
        WHERE current_state = 'advanced' AND context_json->>'steps' = '1') AS moved,
       (SELECT count(DISTINCT entity_id) FROM spikard_fsm.transition_history)
        + (SELECT count(*) FROM spikard_fsm.transition_history)
        - (SELECT count(DISTINCT event_id) FROM spikard_fsm.transition_history) AS lines,
       (SELECT count(*) FROM spikard_fsm.worker_events) AS events,
       (SELECT count(*) FROM spikard_fsm.worker_events WHERE status = 'completed') AS completed,
       (SELECT count(*) FROM spikard_fsm.fsm_outbox) AS effects_left,
       (SELECT count(*) FROM spikard_fsm.dead_letter_queue) AS dead_letters
"""
LATENCY = """
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY taken), percentile_cont(0.99) WITHIN GROUP (ORDER BY taken)
FROM (SELECT extract(epoch FROM completed_at - claimed_at) * 1000 AS taken FROM spikard_fsm.worker_events) AS times
"""


def side_by_side(server: str, interpreter: Path, seconds: float) -> dict[str, Any]:
    """Orchestrators without a queue, ours and the other library's, in turns, each in a database of its own."""
    with database(server) as ours, database(server) as theirs:
        # It makes its tables, and expects the schema to be there.
        asyncio.run(execute(theirs, "CREATE SCHEMA pystator"))
        return {
            "ours": ask(Path(sys.executable), "sequential.py", ours, seconds, dict(os.environ)),
            "pystator": ask(
                interpreter, "peer.py", theirs, seconds, {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
            ),
        }


def ask(interpreter: Path, program: str, url: str, seconds: float, environment: dict[str, str]) -> dict[str, Any]:
    """What a program finds."""
    command = [str(interpreter), "-W", "ignore", str(FOLDER / program), url, str(seconds)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True, timeout=600)
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def say(text: str) -> None:
    """Tell whoever waits."""
    print(f"{dt.datetime.now(dt.UTC):%H:%M:%S} {text}", file=sys.stderr, flush=True)
