"""Timers of one process."""

import asyncio
from datetime import UTC, datetime, timedelta

from spikard.fsm import AsyncioScheduler, ScheduledTask, SimulatedClock, TaskStatus
from spikard.fsm.schedulers import in_process


async def settle(condition) -> None:
    async with asyncio.timeout(5):
        # Gives the loop turns, not time: everything here happens on a simulated clock.
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0)


async def test_tasks_fire_in_the_order_of_time() -> None:
    clock = SimulatedClock()
    scheduler, fired = AsyncioScheduler(clock=clock), []
    late = await scheduler.schedule(2000, lambda: fired.append("late"), "e", "ev", {"m": 1})

    async def soon() -> None:
        fired.append("soon")

    first = await scheduler.schedule(1000, soon, "e", "ev")
    assert (await scheduler.get_task(late)).metadata == {"m": 1}
    await settle(lambda: clock.sleeping)
    clock.advance(1.5)
    await settle(lambda: fired == ["soon"])
    assert (await scheduler.get_task(first)).status is TaskStatus.COMPLETED
    assert [task.task_id for task in await scheduler.get_pending_tasks("e")] == [late]
    await settle(lambda: clock.sleeping)
    clock.advance(1)
    await settle(lambda: fired == ["soon", "late"])
    assert (scheduler.pending_count, scheduler.total_count) == (0, 2)
    await scheduler.close()


async def test_cancelling() -> None:
    scheduler = AsyncioScheduler()
    one, _, other = [await scheduler.schedule(60_000, lambda: None, entity, "ev") for entity in ("e", "e", "f")]
    assert (await scheduler.get_task(one)).remaining_ms > 50_000
    assert await scheduler.cancel(one)
    assert not await scheduler.cancel(one)
    assert not await scheduler.cancel("nothing")
    assert (await scheduler.get_task(one)).status is TaskStatus.CANCELLED
    assert await scheduler.cancel_for_entity("e") == 1
    assert (await scheduler.get_task(other)).is_pending
    await scheduler.close()
    assert scheduler.total_count == 0


async def test_a_callback_that_raises_harms_nobody(caplog) -> None:
    scheduler, done = AsyncioScheduler(), asyncio.Event()

    def broken() -> None:
        raise ValueError("broken")

    failing = await scheduler.schedule(0, broken, "e", "ev")
    await scheduler.schedule(1, done.set, "e", "ev")
    await asyncio.wait_for(done.wait(), 5)
    assert (await scheduler.get_task(failing)).status is TaskStatus.FAILED
    assert "failed" in caplog.text
    await scheduler.close()


async def test_legacy_26_finished_tasks_are_forgotten(monkeypatch) -> None:
    monkeypatch.setattr(in_process, "FINISHED_KEPT", 10)
    scheduler = AsyncioScheduler()
    for _ in range(30):
        await scheduler.cancel(await scheduler.schedule(60_000, lambda: None, "e", "ev"))
    assert scheduler.total_count == 10
    await scheduler.close()


def test_a_task_fires_its_delay_after_it_was_scheduled() -> None:
    noon = datetime(2024, 1, 1, 12, tzinfo=UTC)
    task = ScheduledTask("t", "e", "go", 1500, scheduled_at=noon)
    assert task.fires_at == noon + timedelta(milliseconds=1500)
    assert task == ScheduledTask("t", "e", "go", 1500, scheduled_at=noon)
    assert task.remaining_ms == 0
    assert 50_000 < ScheduledTask("t", "e", "go", 60_000, TaskStatus.CANCELLED).remaining_ms <= 60_000
