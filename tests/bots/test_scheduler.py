"""Jobs at their times, by a clock that is turned."""

import asyncio
import threading
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from spikard.bots import Bot, Dispatcher, Scheduler
from spikard.bots.scheduler import Weekly
from spikard.bots.testing import BotTester
from spikard.di import Container, Inject

MONDAY = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


class Running:
    """A scheduler that starts and stops with its bot."""

    def __init__(self, timezone: str = "UTC", now: datetime = MONDAY, **options: Any) -> None:
        self.scheduler = Scheduler(timezone)
        self.dp = Dispatcher(**options)
        self.dp.on_startup(lambda bot, dispatcher: self.scheduler.start(bot, dispatcher=dispatcher, place="office"))
        self.dp.on_shutdown(self.scheduler.stop)
        self.tester = BotTester(self.dp, now=now)
        self.seen: list[str] = []

    def note(self) -> None:
        self.seen.append(self.tester.clock.now().strftime("%a %H:%M:%S"))


async def test_intervals_begin_at_once_or_later() -> None:
    running, late = Running(), []

    @running.scheduler.interval(seconds=60)
    async def often() -> None:
        running.note()

    @running.scheduler.interval(minutes=2, run_at_start=False)
    async def seldom() -> None:
        late.append(running.tester.clock.now().minute)

    async with running.tester as t:
        await t.clock.advance(240)
    assert running.seen == ["Mon 08:00:00", "Mon 08:01:00", "Mon 08:02:00", "Mon 08:03:00", "Mon 08:04:00"]
    assert late == [2, 4]


async def test_days_and_weeks() -> None:
    running, weekly = Running(), []

    @running.scheduler.daily(hour=9)
    async def morning() -> None:
        running.note()

    @running.scheduler.weekly(weekday=4, hour=18, minute=30)
    async def friday() -> None:
        weekly.append(running.tester.clock.now().strftime("%a %H:%M"))

    async with running.tester as t:
        await t.clock.advance(7 * 86400)
    assert running.seen == [f"{day} 09:00:00" for day in "Mon Tue Wed Thu Fri Sat Sun".split()]
    assert weekly == ["Fri 18:30"]


def test_a_day_is_as_long_as_the_clock_on_the_wall_says() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    rule = Weekly(2, 30, None, berlin)
    # In the night to 29 March 2026 there is no half past two; what is meant comes an hour's half later.
    found = rule.after(datetime(2026, 3, 28, 12, tzinfo=UTC))
    assert found.astimezone(berlin).strftime("%d %H:%M") == "29 03:30"
    assert rule.after(found).astimezone(berlin).strftime("%d %H:%M") == "30 02:30"
    # In the night to 25 October it comes twice; once is enough.
    autumn = rule.after(datetime(2026, 10, 24, 12, tzinfo=UTC))
    assert rule.after(autumn).astimezone(berlin).strftime("%d %H:%M") == "26 02:30"


async def test_jobs_are_given_what_they_ask_for() -> None:
    class Greeter:
        text = "good morning"

    container = Container()
    container.add_scoped(Greeter)
    running = Running(container=container)
    threads: list[bool] = []

    @running.scheduler.interval(seconds=60, run_at_start=False)
    async def greet(bot: Bot, place: str, greeter: Inject[Greeter]) -> None:
        await bot.send_text("ann@corp", f"{greeter.text} from the {place}")

    @running.scheduler.interval(seconds=60, run_at_start=False)
    def plain() -> None:
        threads.append(threading.current_thread() is threading.main_thread())

    async with running.tester as t:
        await t.clock.advance(60)
        assert t.user("ann@corp").last.text == "good morning from the office"
    assert threads == [False]


async def test_a_job_that_fails_comes_again(caplog: pytest.LogCaptureFixture) -> None:
    running = Running()

    @running.scheduler.interval(seconds=10, name="report")
    async def fail() -> None:
        running.note()
        raise ValueError("no data")

    async with running.tester as t:
        await t.clock.advance(10)
    assert len(running.seen) == 2
    assert [record.message for record in caplog.records if record.exc_info] == ["The job report has failed"] * 2


async def test_the_end_waits_for_a_job_that_runs_and_no_longer_than_it_may() -> None:
    scheduler, seen = Scheduler(), []
    begun, gate = asyncio.Event(), asyncio.Event()

    @scheduler.interval(seconds=1)
    async def work() -> None:
        begun.set()
        await gate.wait()
        seen.append("done")

    bot: Any = None
    scheduler.start(bot)
    scheduler.start(bot)
    assert scheduler.is_running
    await begun.wait()
    stopping = asyncio.create_task(scheduler.stop())
    await asyncio.sleep(0)
    gate.set()
    await stopping
    assert (seen, scheduler.is_running) == (["done"], False)

    begun.clear()
    gate.clear()
    scheduler.start(bot)
    await begun.wait()
    await scheduler.stop(grace=0)
    assert seen == ["done"]


def test_times_that_are_none() -> None:
    scheduler = Scheduler()
    with pytest.raises(ValueError, match="longer than 0"):
        scheduler.interval(seconds=0)
    with pytest.raises(ValueError, match="no time 24:00"):
        scheduler.daily(hour=24)
    with pytest.raises(ValueError, match="not 7"):
        scheduler.weekly(weekday=7)
