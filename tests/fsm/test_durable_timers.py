"""One contract for all schedulers, and what those promise that outlive their process."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis
import redis.asyncio
from celery import Celery

from spikard.fsm import (
    AsyncioScheduler,
    CeleryScheduler,
    FsmRuntime,
    RedisScheduler,
    SqlScheduler,
    TaskStatus,
    create_state_store,
)
from spikard.fsm.machine_stores.database import SQLAlchemyMachineStore
from spikard.fsm.schedulers.restoring import restored
from tests.fsm.test_queue import queue_database

__all__ = ["queue_database"]

MACHINE = {
    "meta": {"machine_name": "ticket", "version": "1.0.0"},
    "states": [
        {"name": "open", "type": "initial"},
        {"name": "parked"},
        {"name": "reminded"},
        {"name": "closed", "type": "terminal"},
    ],
    "transitions": [
        {"trigger": "remind", "source": "open", "dest": "reminded", "after": 300, "actions": [{"increment": "n"}]},
        {"trigger": "park", "source": "open", "dest": "parked"},
        {"trigger": "unpark", "source": "parked", "dest": "open"},
        {"trigger": "touch", "source": "open", "dest": "open", "internal": True, "actions": [{"increment": "touched"}]},
        {"trigger": "close", "source": "*", "dest": "closed"},
    ],
}
SECONDS = 30
DURABLE = ["sqlite", "postgres", "redis-bytes", "redis-text", "redis-blocking", "celery"]


@dataclass
class World:
    """Where entities and timers are kept, and how another process would find them."""

    kind: str
    url: str
    redis_url: str
    prefix: str

    def scheduler(self, runtime: Any, **options: Any) -> Any:
        """A scheduler of the kind, as any process would make it."""
        quick = {"poll_interval_ms": 20, **options}
        if self.kind == "asyncio":
            return AsyncioScheduler()
        if self.kind in ("sqlite", "postgres"):
            return SqlScheduler(self.url, runtime=runtime, **quick)
        if self.kind == "celery":
            app = Celery("timers", broker=self.redis_url, set_as_current=False)
            app.conf.task_default_queue = self.prefix
            return CeleryScheduler(app, database=self.url, runtime=runtime, **quick)
        made = redis.Redis if self.kind == "redis-blocking" else redis.asyncio.Redis
        client = made.from_url(self.redis_url, decode_responses=self.kind == "redis-text")
        return RedisScheduler(client, self.prefix, runtime=runtime, **quick)

    @asynccontextmanager
    async def process(self, **options: Any) -> AsyncIterator[FsmRuntime]:
        """All that a process has: a runtime with a scheduler."""
        store = create_state_store(self.url)
        machines = SQLAlchemyMachineStore(self.url, store=store)
        machines.connect()
        runtime = FsmRuntime(machine_store=machines, state_store=store)
        runtime.scheduler = self.scheduler(runtime, **options)
        runtime.register_machine_from_dict(MACHINE)
        try:
            yield runtime
        finally:
            await self.closed(runtime.scheduler)
            await asyncio.to_thread(runtime.close)
            store.disconnect()

    async def closed(self, scheduler: Any) -> None:
        """Let go of a scheduler and its client."""
        await scheduler.close()
        client = getattr(scheduler, "_redis", None)
        if isinstance(client, redis.Redis):
            client.close()
        elif client is not None:
            await client.aclose()

    async def started(self, runtime: FsmRuntime) -> Any:
        """The scheduler, firing; with Celery it is a worker's process that fires."""
        if self.kind not in ("asyncio", "celery"):
            await runtime.scheduler.start()
        return runtime.scheduler


@pytest.fixture(params=["asyncio", *DURABLE])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def world(kind: str, request: pytest.FixtureRequest, tmp_path: Path, redis_url: str) -> Iterator[World]:
    url = f"sqlite:///{tmp_path}/timers.db"
    if kind in ("postgres", "celery"):
        url = request.getfixturevalue("queue_database")
        store = create_state_store(url)
        store._run("write", lambda: (yield "TRUNCATE {s}fsm_timers, {s}entity_states, {s}transition_history", ()))
        store.disconnect()
    prefix = f"spikard:test:{uuid4().hex}:"
    yield World(kind, url, redis_url, prefix)
    with redis.Redis.from_url(redis_url) as client:
        for key in client.scan_iter(f"{prefix}*"):
            client.delete(key)
        client.delete(prefix, f"_kombu.binding.{prefix}")


@pytest.fixture
def celery_worker(world: World, tmp_path: Path) -> Iterator[None]:
    """A worker of Celery as a process, where the adapter is Celery's."""
    with ExitStack() as stack:
        if world.kind == "celery":
            stack.enter_context(working(world, tmp_path))
        yield


@contextmanager
def working(world: World, folder: Path) -> Iterator[None]:
    command = [sys.executable, "-W", "ignore", "-m", "celery", "-A", "tests.fsm.celery_program", "worker", "-c", "1"]
    options = ["--without-mingle", "--without-gossip", "-l", "INFO", "-n", f"{uuid4().hex}@test"]
    about = {"TIMERS_BROKER": world.redis_url, "TIMERS_DATABASE": world.url, "TIMERS_QUEUE": world.prefix}
    log = folder / "celery.log"
    with log.open("wb") as output:
        process = subprocess.Popen([*command, *options], env={**os.environ, **about}, stdout=output, stderr=output)
        try:
            deadline = time.monotonic() + SECONDS
            while b" ready." not in log.read_bytes():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)
            yield
        finally:
            process.terminate()
            process.wait(SECONDS)


async def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not await asyncio.to_thread(holds):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def until_status(scheduler: Any, task_id: str, status: TaskStatus) -> None:
    deadline = time.monotonic() + SECONDS
    while (task := await scheduler.get_task(task_id)).status is not status:
        assert time.monotonic() < deadline, task
        await asyncio.sleep(0.02)


def reminders(runtime: FsmRuntime, entity_id: str) -> int:
    lines = runtime.state_store.get_transition_history(entity_id, limit=1000)
    return sum(line["trigger"] == "remind" for line in lines)


def in_state(runtime: FsmRuntime, entity_id: str, state: str) -> Callable[[], bool]:
    return lambda: runtime.state_store.get_state(entity_id) == state


# Any scheduler


async def test_tasks_wait_until_they_are_cancelled(world: World) -> None:
    async with world.process() as runtime:
        scheduler = await world.started(runtime)
        one, two, other = [
            await scheduler.schedule(60_000, lambda: None, entity, "ev", {"why": 1}) for entity in ("e", "e", "f")
        ]
        task = await scheduler.get_task(one)
        assert (task.task_id, task.entity_id, task.event, task.delay_ms) == (one, "e", "ev", 60_000)
        assert (task.is_pending, task.metadata["why"], task.fired_at) == (True, 1, None)
        assert 50_000 < task.remaining_ms <= 60_000
        assert {task.task_id for task in await scheduler.get_pending_tasks("e")} == {one, two}
        assert {task.task_id for task in await scheduler.get_pending_tasks()} == {one, two, other}
        assert await scheduler.cancel(one)
        assert not await scheduler.cancel(one)
        assert not await scheduler.cancel("nothing")
        assert (await scheduler.get_task(one)).status is TaskStatus.CANCELLED
        assert await scheduler.cancel_for_entity("e") == 1
        assert await scheduler.get_pending_tasks("e") == []
        assert [task.task_id for task in await scheduler.get_pending_tasks()] == [other]
        assert await scheduler.get_task("nothing") is None


async def test_callbacks_are_called_in_their_process(world: World) -> None:
    async with world.process() as runtime:
        scheduler, called = runtime.scheduler, asyncio.Event()
        if world.kind != "asyncio":
            await scheduler.start()

        async def call() -> None:
            called.set()

        def broken() -> None:
            raise ValueError("broken")

        task_id = await scheduler.schedule(30, call, "e", "ev")
        failing = await scheduler.schedule(0, broken, "e", "ev")
        await asyncio.wait_for(called.wait(), SECONDS)
        await until_status(scheduler, task_id, TaskStatus.COMPLETED)
        await until_status(scheduler, failing, TaskStatus.FAILED)
        assert (await scheduler.get_task(task_id)).fired_at is not None


# Those that outlive their process


@pytest.mark.parametrize("kind", DURABLE, indirect=True)
@pytest.mark.parametrize("way", ["blocking", "awaited"])
async def test_legacy_12_a_timer_fires_where_it_was_not_armed(world: World, celery_worker: None, way: str) -> None:
    async with world.process() as runtime:
        # Nothing fires here.
        await asyncio.to_thread(runtime.create_entity, "ticket", "e")
        if way == "awaited":
            await runtime.aprocess_event("ticket", "f", "touch")
        else:
            await asyncio.to_thread(runtime.process_event, "ticket", "f", "touch")
        assert [row.trigger for row in runtime.state_store.get_timers("e")] == ["remind"]
    async with world.process() as another:
        await world.started(another)
        for entity_id in ("e", "f"):
            await until(in_state(another, entity_id, "reminded"))
            assert reminders(another, entity_id) == 1
            assert another.state_store.get_timers(entity_id) == []
        assert another.state_store.get_context("e")["n"] == 1


@pytest.mark.parametrize("kind", DURABLE, indirect=True)
async def test_leaving_stops_a_timer_and_coming_back_starts_it_anew(world: World, celery_worker: None) -> None:
    async with world.process() as runtime:
        scheduler = await world.started(runtime)
        await asyncio.to_thread(runtime.create_entity, "ticket", "e")
        (first,) = runtime.state_store.get_timers("e")
        await runtime.aprocess_event("ticket", "e", "park")
        assert runtime.state_store.get_timers("e") == []
        assert await scheduler.get_pending_tasks("e") == []
        await runtime.aprocess_event("ticket", "e", "unpark")
        (second,) = runtime.state_store.get_timers("e")
        assert second.entered_at > first.entered_at
        # What was armed for the first stay comes late.
        orchestrator = runtime._orchestrator("ticket", None)
        assert await orchestrator.afire(orchestrator.timing.due("e", first)) is None
        assert (orchestrator.timing.dropped, reminders(runtime, "e")) == (1, 0)
        await until(in_state(runtime, "e", "reminded"))
        assert reminders(runtime, "e") == 1


@pytest.mark.parametrize("kind", [kind for kind in DURABLE if kind != "celery"], indirect=True)
async def test_many_processes_fire_each_timer_once(world: World) -> None:
    names = [f"e{number}" for number in range(20)]
    async with world.process() as one, world.process() as two, world.process() as three:
        for runtime in (one, two, three):
            await runtime.scheduler.start()
        for name in names:
            await asyncio.to_thread(one.create_entity, "ticket", name)
        for name in names:
            await until(in_state(one, name, "reminded"))
        assert [reminders(one, name) for name in names] == [1] * len(names)
        assert [one.state_store.get_context(name)["n"] for name in names] == [1] * len(names)


@pytest.mark.parametrize("kind", DURABLE, indirect=True)
async def test_what_is_scheduled_for_a_machine_is_an_event(world: World, celery_worker: None) -> None:
    async with world.process() as runtime:
        scheduler = await world.started(runtime)
        await asyncio.to_thread(runtime.create_entity, "ticket", "e")
        about = {"machine": "ticket", "payload": {"by": "ann"}}
        task_id = await scheduler.schedule(10, lambda: None, "e", "close", about)
        await until(in_state(runtime, "e", "closed"))
        assert runtime.state_store.get_context("e")["by"] == "ann"
        await until_status(scheduler, task_id, TaskStatus.COMPLETED)


@pytest.mark.parametrize("kind", ["sqlite", "postgres", "redis-bytes"], indirect=True)
async def test_a_timer_whose_holder_died_is_fired_by_another(world: World) -> None:
    async with world.process(lease_seconds=0.5) as dying, world.process() as runtime:
        await asyncio.to_thread(dying.create_entity, "ticket", "e")
        held: list[Any] = []
        while not held:
            held = await dying.scheduler._claim(1)
        await runtime.scheduler.start()
        await until(in_state(runtime, "e", "reminded"))
        # Who has lost the lease finds the timer gone.
        await dying.scheduler.fire(held[0])
        assert dying.scheduler.dropped_count == 1
        assert reminders(runtime, "e") == 1


@pytest.mark.parametrize("kind", ["sqlite", "postgres", "redis-text"], indirect=True)
async def test_what_fails_is_tried_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spikard.fsm.schedulers.durable.PAUSE_SECONDS", 0.01)
    async with world.process() as runtime:
        calls: list[str] = []
        orchestrator = runtime._orchestrator("ticket", None)

        def validator(entity_id: str, *about: Any) -> tuple[bool, list[str]]:
            calls.append(entity_id)
            if len(calls) < 3:
                raise OSError("not now")
            return True, []

        orchestrator.context_validator, orchestrator.validates = validator, True
        await runtime.scheduler.start()
        await asyncio.to_thread(runtime.create_entity, "ticket", "e")
        await until(in_state(runtime, "e", "reminded"))
        assert calls == ["e"] * 3


@pytest.mark.parametrize("kind", ["redis-bytes", "redis-text"], indirect=True)
async def test_legacy_13_finished_records_expire(world: World) -> None:
    async with world.process() as runtime:
        scheduler = await world.started(runtime)
        task_id = await scheduler.schedule(60_000, lambda: None, "e", "ev")
        assert await scheduler.cancel(task_id)
        with redis.Redis.from_url(world.redis_url) as client:
            assert 3000 < client.ttl(f"{world.prefix}task:{task_id}") <= 3600
            assert client.smembers(f"{world.prefix}entity:e") == set()


# After a while in which nobody looked


def test_three_ways_to_count_the_time_in_between() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    fires_at, seen = now - timedelta(seconds=5), now - timedelta(seconds=60)
    assert restored("resume", fires_at, 90_000, seen, now) == fires_at
    assert restored("restart", fires_at, 90_000, seen, now) == now + timedelta(seconds=90)
    assert restored("freeze", fires_at, 90_000, seen, now) == now + timedelta(seconds=55)


@pytest.mark.parametrize("kind", ["sqlite", "postgres", "redis-bytes"], indirect=True)
@pytest.mark.parametrize("policy", ["resume", "restart", "freeze"])
async def test_timers_after_a_pause(world: World, policy: Any) -> None:
    gap = timedelta(hours=1)
    async with world.process(timers=policy) as runtime:
        scheduler = runtime.scheduler
        await scheduler.start()
        before = datetime.now(UTC)
        task_id = await scheduler.schedule(7_200_000, lambda: None, "e", "ev", {"machine": "ticket"})
        while policy != "resume" and await last_look(world, scheduler) is None:
            pass
    async with world.process(timers=policy) as runtime:
        scheduler = runtime.scheduler
        # As if it had been an hour ago.
        scheduler._clock = Later(gap)
        await scheduler._restore()
        fires_at = (await scheduler.get_task(task_id)).fires_at
    late = {"resume": timedelta(hours=2), "restart": timedelta(hours=3), "freeze": timedelta(hours=3)}[policy]
    assert timedelta(seconds=-1) <= fires_at - before - late <= timedelta(seconds=60)


class Later:
    """A clock that is ahead."""

    def __init__(self, by: timedelta) -> None:
        self.by = by

    def now(self) -> datetime:
        return datetime.now(UTC) + self.by


async def last_look(world: World, scheduler: Any) -> Any:
    if world.kind.startswith("redis"):
        return await scheduler._command("GET", world.prefix + "last_seen")
    rows = await scheduler._do(lambda: (yield "SELECT last_seen FROM {s}fsm_timer_watch", ()), "read")
    return rows[0][0] if rows else None


def test_a_policy_there_is_not() -> None:
    with pytest.raises(ValueError, match="'resume', 'restart' or 'freeze', got 'stop'"):
        SqlScheduler("sqlite:///x.db", timers="stop")  # type: ignore[arg-type]
