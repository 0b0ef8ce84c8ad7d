"""Workers: each event once, whatever happens to the process."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from spikard.fsm import (
    ActionRegistry,
    DatabaseEventSource,
    GuardRegistry,
    QueueClient,
    QueueEventState,
    Worker,
    WorkerConfig,
    WorkerEvent,
    create_state_store,
)
from tests.fsm.test_queue import queue_database, url

__all__ = ["queue_database", "url"]

MACHINE = {
    "meta": {"machine_name": "m", "version": "1.0.0"},
    "states": [{"name": "a", "type": "initial"}, {"name": "b"}, {"name": "c", "type": "terminal"}],
    "transitions": [
        {"trigger": "hit", "source": "a", "dest": "a", "actions": [{"increment": "n"}, "tell"]},
        {"trigger": "go", "source": "a", "dest": "b"},
        {"trigger": "guarded", "source": "a", "dest": "b", "guards": ["never"]},
        {"trigger": "asked", "source": "a", "dest": "b", "guards": ["broken"]},
        {"trigger": "end", "source": "a", "dest": "c"},
        {"trigger": "act", "source": "a", "dest": "b", "actions": ["wait"]},
        {"trigger": "filled", "source": "a", "dest": "b", "auto": True, "guards": [{"expr": "x > 3"}]},
    ],
}
PROGRAM = Path(__file__).with_name("worker_program.py")
SECONDS = 40


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "machines"
    place.mkdir()
    (place / "m.json").write_text(json.dumps(MACHINE))
    return place


@pytest.fixture
def store(url: str) -> Iterator[Any]:
    made = create_state_store(url)
    made.connect()
    for entity in made.list_entities(limit=1000):
        made.delete_entity(entity["entity_id"])
    yield made
    made.disconnect()


def settings(url: str, folder: Path, **options: Any) -> WorkerConfig:
    fast = {"poll_interval_ms": 20, "apply_data_poll_interval_ms": 20, "retry_backoff_base_ms": 1, **options}
    return WorkerConfig(db_url=url, machine_source="yaml", machine_dir=str(folder), **fast)


def never(context: dict[str, Any]) -> bool:
    return False


def broken(context: dict[str, Any]) -> bool:
    raise OSError("the guard is out of order")


def guards() -> GuardRegistry:
    registry = GuardRegistry()
    registry.register("never", never)
    registry.register("broken", broken)
    return registry


async def settled(source: DatabaseEventSource) -> None:
    """Come back when nothing waits and nothing is held."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        counts = await source.queue.ado(source.queue.table.counts)
        if not counts.get("pending") and not counts.get("claimed"):
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"events are left: {counts}")


def statuses(store: Any) -> dict[str, tuple[str, int]]:
    def work() -> Any:
        return (yield "SELECT entity_id, status, attempt FROM {s}worker_events", ())

    return {row[0]: (row[1], row[2]) for row in store._run("read", work)}


def test_what_becomes_of_events(url: str, folder: Path, store: Any) -> None:
    store.set_state("ended", "c", metadata={"machine_name": "m"})

    async def main() -> tuple[list[Any], dict[str, Any]]:
        source = DatabaseEventSource(url)
        worker = Worker(settings(url, folder), guards())
        assert (worker.health, worker.dlq_store) == (None, None)
        await worker.start()
        running = asyncio.create_task(worker.run())
        for entity_id, trigger in [
            ("fine", "go"), ("refused", "guarded"), ("unasked", "asked"), ("lost", "nowhere"), ("ended", "go"),
        ]:  # fmt: skip
            await source.submit(WorkerEvent("m", entity_id, trigger, {"k": 1}, max_attempts=2))
        await source.submit(WorkerEvent("unknown", "stray", "go"))
        await settled(source)
        assert worker.health is not None
        assert worker.dlq_store is not None
        status = await worker.health.status()
        letters = (await worker.dlq_store.query()).records
        assert [lane.source.queue._fences for lane in worker._lanes] == [{}, {}, {}], "claims are remembered for good"
        await worker.shutdown()
        await running
        await source.close()
        return letters, status

    letters, status = asyncio.run(main())
    assert (status["ready"], status["machine_names"], status["pending_events"]) == (True, ["m"], 0)
    reasons = {letter.payload["entity_id"]: letter.reason for letter in letters}
    assert reasons == {
        "refused": "guard_rejected", "unasked": "guard_execution_error", "lost": "invalid_transition",
        "ended": "terminal_state", "stray": "unknown_machine",
    }  # fmt: skip
    assert statuses(store) == {
        "fine": ("completed", 1), "refused": ("dead_letter", 1), "unasked": ("dead_letter", 2),
        "lost": ("dead_letter", 1), "ended": ("dead_letter", 1), "stray": ("dead_letter", 1),
    }  # fmt: skip
    assert (store.get_state("fine"), store.get_context("fine")["k"]) == ("b", 1)
    assert {letter.stage for letter in letters} == {"worker"}


def test_exceptions_are_tried_again_and_then_told_of(url: str, folder: Path, store: Any) -> None:
    calls: list[str] = []

    async def main() -> list[Any]:
        source = DatabaseEventSource(url)
        worker = Worker(settings(url, folder))
        await worker.start()
        machines = worker._machines
        assert machines is not None
        orchestrator = machines.orchestrator("m")
        assert orchestrator is not None

        def fail(*about: Any) -> tuple[bool, list[str]]:
            calls.append(str(about[0]))
            raise RuntimeError("the validator is out of order")

        orchestrator.context_validator = fail
        orchestrator.validates = True
        running = asyncio.create_task(worker.run())
        await source.submit(WorkerEvent("m", "e", "go", max_attempts=3))
        await settled(source)
        assert worker.dlq_store is not None
        letters = (await worker.dlq_store.query(source_name="m", reason="max_retries_exhausted")).records
        await worker.shutdown()
        await running
        await source.close()
        return letters

    letters = [letter for letter in asyncio.run(main()) if letter.error_type == "RuntimeError"]
    assert calls == ["e"] * 3
    assert [(letter.attempt, letter.error_message) for letter in letters[:1]] == [(3, "the validator is out of order")]


def test_data_is_merged_by_workers(url: str, folder: Path, store: Any) -> None:
    store.set_state("e", "a", metadata={"machine_name": "m"})

    async def main(client: QueueClient) -> tuple[Any, Any]:
        worker = Worker(settings(url, folder), guards())
        running = asyncio.create_task(worker.run())
        here = client.submit_apply_data(machine="m", entity_id="e", data={"x": 9})
        absent = client.submit_apply_data(machine="m", entity_id="absent", data={"x": 9})
        found = await asyncio.to_thread(client.wait_for_event, here, timeout_s=SECONDS, poll_interval_s=0.02)
        lost = await asyncio.to_thread(client.wait_for_event, absent, timeout_s=SECONDS, poll_interval_s=0.02)
        await worker.shutdown()
        await running
        return found, lost

    client = QueueClient.from_url(url)
    found, lost = asyncio.run(main(client))
    client.close()
    assert found.state is QueueEventState.SUCCEEDED
    assert (store.get_state("e"), store.get_context("e")["x"]) == ("b", 9)
    assert lost.state is QueueEventState.DEAD_LETTER
    assert lost.error_message == "Entity not found: absent"


def test_a_slow_action_holds_up_nobody(url: str, folder: Path, store: Any) -> None:
    release, others = threading.Event(), threading.Event()
    actions = ActionRegistry()

    def wait(context: dict[str, Any]) -> None:
        if context["_entity_id"] == "slow":
            assert release.wait(SECONDS)
        else:
            others.set()

    actions.register("wait", wait)

    async def main() -> None:
        source = DatabaseEventSource(url)
        worker = Worker(settings(url, folder), guards(), actions)
        running = asyncio.create_task(worker.run())
        for entity_id in ("slow", "quick"):
            await source.submit(WorkerEvent("m", entity_id, "act"))
        assert await asyncio.to_thread(others.wait, SECONDS)
        release.set()
        await settled(source)
        await worker.shutdown()
        await running
        await source.close()

    asyncio.run(main())
    assert (store.get_state("slow"), store.get_state("quick")) == ("b", "b")


def test_a_store_that_breaks_its_word_holds_no_event_for_ever(url: str, folder: Path, store: Any) -> None:
    calls: list[int] = []

    async def main() -> None:
        source = DatabaseEventSource(url)
        worker = Worker(settings(url, folder), guards())
        await worker.start()
        assert worker._machines is not None
        inner = worker._machines.store
        commit_many = inner.commit_many

        def broken_once(changes: Any) -> Any:
            calls.append(len(changes))
            return commit_many(changes) if len(calls) > 1 else []

        inner.commit_many = broken_once
        running = asyncio.create_task(worker.run())
        await source.submit(WorkerEvent("m", "w1", "go"))
        await settled(source)
        await worker.shutdown()
        await running
        await source.close()

    asyncio.run(main())
    assert (calls, statuses(store)["w1"], store.get_state("w1")) == ([1, 1], ("completed", 2), "b")


async def awaited(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


def test_asynchronous_actions_are_awaited(url: str, folder: Path, store: Any) -> None:
    actions = ActionRegistry()

    async def wait(context: dict[str, Any]) -> None:
        await asyncio.sleep(0)
        context["awaited"] = True

    actions.register("wait", wait)

    async def main() -> None:
        source = DatabaseEventSource(url)
        worker = Worker(settings(url, folder), guards(), actions)
        running = asyncio.create_task(worker.run())
        await source.submit(WorkerEvent("m", "a1", "act"))
        await settled(source)
        await awaited(lambda: not left(store))
        await worker.shutdown()
        await running
        await source.close()

    asyncio.run(main())
    assert store.get_context("a1")["awaited"] is True


def test_what_fails_in_a_worker_is_tried_again_and_buried(url: str, folder: Path, store: Any) -> None:
    actions = ActionRegistry()
    calls: list[str] = []

    def wait(context: dict[str, Any]) -> None:
        calls.append(context["_entity_id"])
        raise ValueError("out of order")

    actions.register("wait", wait)

    async def main() -> list[Any]:
        source = DatabaseEventSource(url)
        worker = Worker(settings(url, folder, max_attempts=3), guards(), actions)
        running = asyncio.create_task(worker.run())
        await source.submit(WorkerEvent("m", "f1", "act"))
        await settled(source)
        await awaited(lambda: not left(store))
        letters = worker.dlq_store
        assert letters is not None
        found = (await letters.query(stage="outbox", reason="action_failed")).records
        await worker.shutdown()
        await running
        await source.close()
        return [letter for letter in found if letter.payload["entity_id"] == "f1"]

    (letter,) = asyncio.run(main())
    assert (letter.error_message, letter.attempt, calls) == ("out of order", 3, ["f1"] * 3)
    assert store.get_state("f1") == "b", "the step itself is not repeated"


def submit_hits(url: str, entities: int, each: int) -> None:
    async def main() -> None:
        source = DatabaseEventSource(url)
        for _ in range(each):
            for number in range(entities):
                await source.submit(WorkerEvent("m", f"e{number}", "hit", max_attempts=50))
        await source.close()

    asyncio.run(main())


_started: list[subprocess.Popen[bytes]] = []


def started(url: str, folder: Path) -> subprocess.Popen[bytes]:
    command, environment = [sys.executable, str(PROGRAM), url, str(folder)], {**os.environ, "PYTHONWARNINGS": ""}
    _started.append(subprocess.Popen(command, env=environment))
    return _started[-1]


@pytest.fixture(autouse=True)
def no_process_is_left() -> Iterator[None]:
    """A worker that a failed test leaves behind would go on working at the database of the next."""
    yield
    while _started:
        process = _started.pop()
        process.kill()
        process.wait(SECONDS)


def until(process: subprocess.Popen[bytes], holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert process.poll() is None, "the worker ended by itself"
        assert time.monotonic() < deadline, "the worker took too long"
        time.sleep(0.005)


def stopped(process: subprocess.Popen[bytes], folder: Path) -> int:
    """Tell a worker to stop; its exit code. One that still begins would not hear it as what it is."""
    until(process, Path(folder, f"runs-{process.pid}").exists)
    process.send_signal(signal.SIGTERM)
    return process.wait(SECONDS)


def done(store: Any) -> int:
    def work() -> Any:
        return (yield "SELECT COUNT(*) FROM {s}worker_events WHERE status = 'completed'", ())

    return int(store._run("read", work)[0][0])


def left(store: Any) -> int:
    def work() -> Any:
        return (yield "SELECT COUNT(*) FROM {s}fsm_outbox WHERE status = 'pending'", ())

    return int(store._run("read", work)[0][0])


def lines(store: Any) -> list[str]:
    def work() -> Any:
        return (yield "SELECT event_id FROM {s}transition_history WHERE entity_id LIKE 'e%'", ())

    return [row[0] for row in store._run("read", work)]


def test_killed_workers_lose_nothing_and_do_nothing_twice(url: str, folder: Path, store: Any) -> None:
    before = set(lines(store))
    submit_hits(url, entities=5, each=16)
    for killed_at in (10, 30, 50):
        process = started(url, folder)
        until(process, lambda: done(store) >= killed_at)  # noqa: B023 - called before the loop goes on
        process.send_signal(signal.SIGKILL)
        process.wait(SECONDS)
    process = started(url, folder)
    until(process, lambda: done(store) == 80 and not left(store))
    assert stopped(process, folder) == 0
    assert [store.get_context(f"e{number}")["n"] for number in range(5)] == [16] * 5
    applied = [event_id for event_id in lines(store) if event_id not in before]
    assert len(applied) == len(set(applied)) == 80
    # Whoever is killed behind an effect does it again: under the same key.
    assert len(set((folder / "told").read_text().split())) == 80


def test_a_worker_that_is_told_to_stop_gives_back_what_it_has_not_begun(url: str, folder: Path, store: Any) -> None:
    submit_hits(url, entities=30, each=2)
    process = started(url, folder)
    until(process, lambda: done(store) >= 5)
    assert stopped(process, folder) == 0
    assert {status for status, _ in statuses(store).values()} <= {"completed", "pending"}
