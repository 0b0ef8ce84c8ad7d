"""Clocks: one of the machine, one turned by hand."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from spikard.fsm import FsmClock, SimulatedClock


async def test_sleepers_wake_in_the_order_of_time() -> None:
    clock, woken = SimulatedClock(), []

    async def sleep(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(seconds)

    tasks = [asyncio.ensure_future(sleep(seconds)) for seconds in (3, 1, 2)]
    await asyncio.sleep(0)
    assert clock.sleeping == 3
    clock.advance(0.5)
    await asyncio.sleep(0)
    assert woken == []
    clock.advance(1.5)
    await asyncio.gather(*tasks[1:])
    assert woken == [1, 2]
    clock.advance(1)
    await asyncio.gather(*tasks)
    assert woken == [1, 2, 3]


def test_time_passes_only_when_told() -> None:
    clock = SimulatedClock(datetime(2026, 5, 1, tzinfo=UTC))
    clock.advance(90)
    assert clock.now() == datetime(2026, 5, 1, 0, 1, 30, tzinfo=UTC)
    with pytest.raises(ValueError, match="a clock cannot go back"):
        clock.advance(-1)


async def test_the_clock_of_the_machine() -> None:
    clock = FsmClock()
    before = clock.now()
    await clock.sleep(0.001)
    assert before + timedelta(milliseconds=1) <= clock.now()
