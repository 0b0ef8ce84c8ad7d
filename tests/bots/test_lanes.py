"""Jobs in lanes."""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from spikard.bots.dispatcher.lanes import Lanes
from spikard.bots.leaving import leave_lane

setting: ContextVar[str] = ContextVar("setting", default="none")


async def test_lanes_bound_what_runs_and_what_waits() -> None:
    lanes = Lanes(concurrency=2, queue_limit=3)
    running, most, order = 0, 0, []
    gate = asyncio.Event()

    def job(name: str) -> Callable[[], Any]:
        async def work() -> None:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await gate.wait()
            order.append(name)
            running -= 1

        return work

    for name in ("a1", "b1", "c1"):
        await lanes.put(name[0], job(name))
    fourth = asyncio.create_task(lanes.put("a", job("a2")))
    await asyncio.sleep(0)
    assert not fourth.done()
    assert lanes.unfinished == 3
    gate.set()
    await fourth
    assert await lanes.drain(10) == []
    assert (most, order.index("a1") < order.index("a2"), len(order)) == (2, True, 4)


async def test_what_is_not_done_in_time_is_cancelled() -> None:
    lanes = Lanes(concurrency=1, queue_limit=10)
    for _ in range(3):
        await lanes.put("lane", asyncio.Event().wait)  # type: ignore[arg-type]
    assert len(await lanes.drain(0.01)) == 3
    assert lanes.unfinished == 0


async def test_a_lane_that_was_left_keeps_the_order_of_the_others() -> None:
    lanes = Lanes(concurrency=10, queue_limit=10)
    gate, order = asyncio.Event(), []

    async def leaves() -> None:
        leave = leave_lane.get()
        assert leave is not None
        leave()
        leave()
        await gate.wait()
        order.append("left")

    def job(name: str) -> Callable[[], Any]:
        async def work() -> None:
            await asyncio.sleep(0)
            order.append(name)
            if name == "c":
                gate.set()

        return work

    await lanes.put("lane", leaves)
    for name in "abc":
        await lanes.put("lane", job(name))
    assert await lanes.drain(10) == []
    assert order == ["a", "b", "c", "left"]
    assert lanes.unfinished == 0


async def test_what_has_not_begun_can_be_dropped() -> None:
    lanes = Lanes(concurrency=1, queue_limit=10)
    gate, done = asyncio.Event(), []

    async def work() -> None:
        await gate.wait()
        done.append(1)

    for label in range(5):
        await lanes.put(label % 2, work, label)
    await asyncio.sleep(0)
    assert lanes.drop_waiting(lambda label: label == 3) == [3]
    assert sorted(lanes.drop_waiting()) == [1, 2, 4]
    assert lanes.unfinished == 1
    gate.set()
    assert await lanes.drain(10) == []
    assert done == [1]
    assert lanes.is_idle(0)
    assert lanes.is_idle(1)


async def test_what_one_job_sets_is_not_there_in_the_next() -> None:
    lanes, seen = Lanes(concurrency=1, queue_limit=10), []

    async def work() -> None:
        seen.append(setting.get())
        setting.set("mine")

    for _ in range(3):
        await lanes.put("lane", work)
    await lanes.drain(10)
    assert seen == ["none"] * 3


async def test_hurry_cancels_at_once() -> None:
    lanes, hurried = Lanes(concurrency=1, queue_limit=10), asyncio.Event()
    await lanes.put("lane", asyncio.Event().wait, "endless")  # type: ignore[arg-type]
    draining = asyncio.create_task(lanes.drain(1000, hurried))
    await asyncio.sleep(0)
    assert not draining.done()
    hurried.set()
    assert await asyncio.wait_for(draining, 20) == ["endless"]
    assert lanes.unfinished == 0
