"""Workers and time: what states arm fires from the database, once, whatever happens to the process."""

import asyncio
import signal
import time
from collections.abc import Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from spikard.fsm import (
    ActionRegistry,
    ConfigurationError,
    DatabaseEventSource,
    GuardRegistry,
    InMemoryStateStore,
    Orchestrator,
    StateMachine,
    Worker,
    WorkerConfig,
    WorkerEvent,
)
from tests.fsm.test_queue import queue_database, url
from tests.fsm.test_worker import SECONDS, no_process_is_left, started, stopped, store, until

__all__ = ["no_process_is_left", "queue_database", "store", "url"]

MACHINE: dict[str, Any] = {
    "meta": {"machine_name": "order", "version": "1.0.0"},
    "states": [
        {"name": "new", "type": "initial"},
        {"name": "checked"},
        {"name": "waiting", "timeout": {"seconds": 0.2, "destination": "late"}},
        {"name": "late"},
        {"name": "held"},
        {"name": "patient"},
        {"name": "paid", "type": "terminal"},
    ],
    "transitions": [
        {"trigger": "check", "source": "new", "dest": "checked"},
        {"auto": True, "source": "checked", "dest": "waiting"},
        {"trigger": "pay", "source": "*", "dest": "paid"},
        {"trigger": "hold", "source": ["new", "waiting"], "dest": "held", "actions": [
            {"send": {"event": "pay", "delay": "100ms", "id": "payment", "payload": {"by": "{{ who }}"}}},
        ]},
        {"trigger": "think", "source": "held", "dest": "patient", "actions": [{"cancel": "payment"}]},
        {"trigger": "pass_on", "source": "new", "dest": "held", "actions": [
            {"send": {"event": "check", "to": "{{ other }}", "delay": 50}},
        ]},
        {"trigger": "refused", "source": "late", "dest": "paid", "after": 50, "guards": ["never"]},
        {"trigger": "broken", "source": "patient", "dest": "paid", "after": 50, "guards": ["raises"]},
    ],
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "machines"
    place.mkdir()
    (place / "order.json").write_bytes(msgspec.json.encode(MACHINE))
    return place


def never(context: dict[str, Any]) -> bool:
    return False


def raises(context: dict[str, Any]) -> bool:
    raise OSError("not now")


def guards() -> GuardRegistry:
    registry = GuardRegistry()
    registry.register("never", never)
    registry.register("raises", raises)
    return registry


def orders(store: Any, config: dict[str, Any] = MACHINE) -> Orchestrator:
    return Orchestrator(StateMachine.from_dict(config), store, guards(), ActionRegistry())


@asynccontextmanager
async def working(url: str, folder: Path, **options: Any) -> Any:
    fast = {"poll_interval_ms": 20, "apply_data_poll_interval_ms": 20, **options}
    worker = Worker(WorkerConfig(db_url=url, machine_source="yaml", machine_dir=str(folder), **fast), guards())
    await worker.start()
    running = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        await worker.shutdown()
        await running


async def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not await asyncio.to_thread(holds):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


def timers(store: Any) -> list[Any]:
    def work() -> Any:
        return (yield "SELECT entity_id FROM {s}fsm_timers WHERE status = 'pending'", ())

    return [row[0] for row in store._run("read", work)]


@pytest.mark.parametrize("way", ["blocking", "awaited"])
async def test_legacy_14_chains_arm_and_stop_timers_with_the_step(url: str, folder: Path, store: Any, way: str) -> None:
    machine = orders(store)
    for entity_id in ("left", "stays"):
        if way == "awaited":
            await machine.async_process_event(entity_id, "check")
        else:
            await asyncio.to_thread(machine.process_event, entity_id, "check")
        assert [timer.trigger for timer in store.get_timers(entity_id)] == ["_timeout_waiting"]
    assert (await machine.async_process_event("left", "pay")).success
    assert timers(store) == ["stays"]
    async with working(url, folder) as worker:
        await eventually(lambda: store.get_state("stays") == "late")
        # In its new state a timer is refused by its guard: it has fired.
        await eventually(lambda: not timers(store))
        assert worker.timers_dropped == 0
    assert store.get_state("left") == "paid"
    assert [line["trigger"] for line in store.get_transition_history("stays")].count("_timeout_waiting") == 1


async def test_messages_that_are_sent_later(url: str, folder: Path, store: Any) -> None:
    machine = orders(store)
    assert machine.process_event("e", "hold", {"who": "ann"}).success
    assert machine.process_event("cancelled", "hold", {"who": "bob"}).success
    assert machine.process_event("cancelled", "think").success
    assert machine.process_event("sender", "pass_on", {"other": "target"}).success
    async with working(url, folder):
        await eventually(lambda: store.get_state("e") == "paid")
        await eventually(lambda: store.get_state("target") == "late")
    assert store.get_context("e")["by"] == "ann"
    assert store.get_state("cancelled") == "patient"
    assert store.get_state("sender") == "held"


async def test_a_timer_that_cannot_be_fired_becomes_a_dead_letter(
    url: str, folder: Path, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spikard.fsm.schedulers.durable.PAUSE_SECONDS", 0.01)
    machine = orders(store)
    store.set_state("e", "held", metadata={"machine_name": "order"})
    assert machine.process_event("e", "think").success
    async with working(url, folder, max_attempts=2) as worker:
        await eventually(lambda: not timers(store))
        letters = (await worker.dlq_store.query(source_name="order")).records
    assert [(letter.payload["entity_id"], letter.attempt) for letter in letters][:1] == [("e", 2)]
    assert letters[0].payload["timer_key"].startswith("patient#")


def test_killed_workers_fire_each_timer_once(url: str, folder: Path, store: Any) -> None:
    machine, names = orders(store), [f"k{number}" for number in range(40)]
    for name in names:
        machine.process_event(name, "check")

    def late() -> int:
        return sum(store.get_state(name) == "late" for name in names)

    for killed_at in (5, 20):
        process = started(url, folder)
        until(process, lambda: late() >= killed_at)  # noqa: B023 - called before the loop goes on
        process.send_signal(signal.SIGKILL)
        process.wait(SECONDS)
    process = started(url, folder)
    until(process, lambda: late() == len(names))
    assert stopped(process, folder) == 0
    for name in names:
        triggers = [line["trigger"] for line in store.get_transition_history(name)]
        assert triggers.count("_timeout_waiting") == 1, name


@pytest.mark.parametrize("url", ["postgres"], indirect=True)
async def test_postgres_wakes_workers_that_hardly_ever_look(url: str, folder: Path, store: Any) -> None:
    slow = {"poll_interval_ms": 3_600_000, "apply_data_poll_interval_ms": 3_600_000}
    source = DatabaseEventSource(url)
    async with working(url, folder, **slow):
        await source.submit(WorkerEvent("order", "woken", "check"))
        # The event wakes one lane, the timer that it arms another.
        await eventually(lambda: store.get_state("woken") == "late")
    await source.close()


# When


def computed(**about: Any) -> dict[str, Any]:
    return {
        "meta": {"machine_name": "order", "version": "1.0.0"},
        "states": [{"name": "new", "type": "initial"}, {"name": "a", **about.pop("state", {})}, {"name": "b"}],
        "transitions": [{"trigger": "go", "source": "new", "dest": "a"}, {"source": "a", "dest": "b", **about}],
    }


def due(config: dict[str, Any], context: dict[str, Any]) -> list[Any]:
    store = InMemoryStateStore()
    assert orders(store, config).process_event("e", "go", context).success
    return store.get_timers("e")


def test_a_delay_out_of_the_context() -> None:
    before = datetime.now(UTC)
    (timer,) = due(computed(after={"expr": "retry * 2"}), {"retry": 30})
    assert timer.trigger == "_after_a"
    assert timedelta(seconds=60) <= timer.fires_at - before < timedelta(seconds=70)
    with pytest.raises(Exception, match="must give seconds from 0 on, not 'soon'"):
        due(computed(after={"expr": "retry"}), {"retry": "soon"})


@pytest.mark.parametrize("value", ["2030-01-01T12:00:00Z", "2030-01-01T13:00:00+01:00", 1893499200])
def test_a_moment_out_of_the_context(value: Any) -> None:
    (timer,) = due(computed(at={"field": "order.due_at"}), {"order": {"due_at": value}})
    assert (timer.trigger, timer.fires_at) == ("_at_a", datetime(2030, 1, 1, 12, tzinfo=UTC))


def test_no_moment_no_timer() -> None:
    assert due(computed(at={"field": "due_at"}), {}) == []
    with pytest.raises(Exception, match="ISO 8601 or seconds, not 'tomorrow'"):
        due(computed(at={"field": "due_at"}), {"due_at": "tomorrow"})


async def test_a_schedule_goes_on_for_as_long_as_the_state(url: str, folder: Path, store: Any) -> None:
    state = {"cron": {"schedule": "* * * * *", "trigger": "tick", "timezone": "Europe/Berlin"}}
    config = computed(trigger="tick", state=state, internal=True, actions=[{"increment": "ticks"}])
    (folder / "order.json").write_bytes(msgspec.json.encode(config))
    machine = orders(store, config)
    machine.process_event("e", "go")
    (timer,) = store.get_timers("e")
    assert (timer.trigger, timer.fires_at.second) == ("tick", 0)
    store._run("write", lambda: (yield "UPDATE {s}fsm_timers SET fires_at = {now}", ()))
    async with working(url, folder):
        await eventually(lambda: store.get_context("e").get("ticks") == 1)
    (again,) = store.get_timers("e")
    assert again.fires_at > datetime.now(UTC) - timedelta(seconds=1)
    assert again.entered_at == timer.entered_at


def test_schedules_that_cannot_be_read() -> None:
    for cron, message in [("* *", "cannot be read"), ({"schedule": "0 0 * * *", "timezone": "Nowhere"}, "Nowhere")]:
        with pytest.raises(ConfigurationError, match=message):
            orders(InMemoryStateStore(), computed(trigger="tick", state={"cron": cron}))
