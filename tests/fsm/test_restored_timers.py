"""Timers that a store has kept from one process to the next, fired by a scheduler that lives in a process."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from spikard.fsm import AsyncioScheduler, InMemoryStateStore, Orchestrator, SimulatedClock, SqlScheduler, StateMachine
from tests.fsm.test_scheduler import settle
from tests.fsm.test_stores import STORES, fsm_database

__all__ = ["fsm_database"]
MACHINE: dict[str, Any] = {
    "meta": {"machine_name": "restored_ticket"},
    "states": [
        {"name": "open", "type": "initial"},
        {"name": "held", "timeout": {"seconds": 60, "destination": "late"}},
        {"name": "late", "type": "terminal"},
    ],
    "transitions": [{"trigger": "hold", "source": "open", "dest": "held"}],
}


@pytest.fixture(params=["memory", "sqlite", "postgres", "redis"])
def store(request: pytest.FixtureRequest) -> Iterator[Any]:
    made = STORES[request.param](request)
    yield made
    disconnect = getattr(made, "disconnect", None)
    if disconnect is not None:
        disconnect()


def tickets(store: Any, clock: SimulatedClock) -> Orchestrator:
    scheduler = AsyncioScheduler(clock=clock)
    return Orchestrator(StateMachine.from_dict(MACHINE), store, scheduler=scheduler, clock=clock)


async def test_timers_go_on_after_a_restart(store: Any) -> None:
    clock = SimulatedClock()
    first = tickets(store, clock)
    for name in ("t-1", "t-2"):
        await first.async_process_event(name, "hold")
    await first.close()
    clock.advance(30)
    second = tickets(store, clock)
    assert await second.restore_timers() == 2
    assert await second.restore_timers() == 0
    await settle(lambda: clock.sleeping)
    clock.advance(29)
    assert second.scheduler.pending_count == 2
    clock.advance(2)
    await settle(lambda: store.get_state("t-1") == store.get_state("t-2") == "late")
    assert store.get_timers("t-1") == []
    await second.close()


async def test_overdue_timers_fire_at_once_and_restarted_ones_wait_again() -> None:
    store, clock = InMemoryStateStore(), SimulatedClock()
    first = tickets(store, clock)
    await first.async_process_event("t", "hold")
    await first.close()
    clock.advance(600)
    again = tickets(store, clock)
    assert await again.restore_timers("restart") == 1
    (task,) = await again.scheduler.get_pending_tasks("t")
    assert task.fires_at == clock.now() + timedelta(seconds=60)
    await again.close()
    resumed = tickets(store, clock)
    assert await resumed.restore_timers() == 1
    await settle(lambda: store.get_state("t") == "late")
    await resumed.close()


async def test_what_cannot_be_restored_is_said() -> None:
    machine = StateMachine.from_dict(MACHINE)
    with pytest.raises(RuntimeError, match="no scheduler"):
        await Orchestrator(machine, InMemoryStateStore()).restore_timers()
    with pytest.raises(ValueError, match="'resume' or 'restart', not 'freeze'"):
        await tickets(InMemoryStateStore(), SimulatedClock()).restore_timers("freeze")  # type: ignore[arg-type]


async def test_durable_schedulers_find_timers_by_themselves(request: pytest.FixtureRequest) -> None:
    store = STORES["sqlite"](request)
    machine = StateMachine.from_dict(MACHINE)
    orchestrator = Orchestrator(machine, store, scheduler=SqlScheduler(store))
    await orchestrator.async_process_event("t", "hold")
    assert await orchestrator.restore_timers() == 0
    await orchestrator.close()
    store.disconnect()
