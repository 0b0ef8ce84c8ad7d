"""Jobs that a bot does by itself: again and again, each day, each week."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from zoneinfo import ZoneInfo

from spikard.bots.clock import current_clock
from spikard.bots.injection import SCOPE, UpdateScope, call
from spikard.fsm.clock import Clock

if TYPE_CHECKING:
    from spikard.bots.bot import Bot

logger = logging.getLogger("spikard.bots.scheduler")

F = TypeVar("F", bound=Callable[..., Any])
# Clocks of machines are set, and machines sleep: nobody waits longer without looking at the time.
_LONGEST_SLEEP = 600.0


class Rule(Protocol):
    """When a job's time is."""

    def after(self, moment: datetime) -> datetime:
        """The next time after a moment."""
        ...


@dataclass(frozen=True, slots=True)
class Interval:
    """Every so many seconds."""

    seconds: float

    def after(self, moment: datetime) -> datetime:
        """The moment so much later."""
        return moment + timedelta(seconds=self.seconds)


@dataclass(frozen=True, slots=True)
class Weekly:
    """At a time of the day, by the clock on the wall; on one day of the week, or without one on each."""

    hour: int
    minute: int
    weekday: int | None
    zone: tzinfo | None

    def after(self, moment: datetime) -> datetime:
        """The next such time; where the clock skips it, as much later as the clock is set."""
        here = moment.astimezone(self.zone)
        for days in range(9):
            day = here.date() + timedelta(days=days)
            if self.weekday not in (None, day.weekday()):
                continue
            wall = datetime(day.year, day.month, day.day, self.hour, self.minute, tzinfo=self.zone)
            found = wall.astimezone(UTC)
            if found > moment:
                return found
        raise AssertionError("unreachable")


@dataclass(frozen=True, slots=True)
class Job:
    """A function and its times."""

    name: str
    function: Callable[..., Any]
    rule: Rule
    at_start: bool = False


class Scheduler:
    """Runs functions at their times, each with what it asks for: `bot`, and what `start` was given.

    A job that fails is logged and comes again; it never runs twice at once, and times that pass while it runs are
    left out. Jobs are not kept: what was due while no process ran is not made up for.

    Args:
        timezone: Whose time of the day is meant, like `Europe/Moscow`; by default that of the machine.
    """

    def __init__(self, timezone: str | tzinfo | None = None) -> None:
        self._zone = ZoneInfo(timezone) if isinstance(timezone, str) else timezone
        self.jobs: list[Job] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy: set[asyncio.Task[None]] = set()
        self._is_stopping = False

    @property
    def is_running(self) -> bool:
        """Whether `start` was called, and `stop` was not."""
        return bool(self._tasks)

    def interval(
        self,
        seconds: float = 0,
        run_at_start: bool = True,
        name: str | None = None,
        *,
        minutes: float = 0,
        hours: float = 0,
    ) -> Callable[[F], F]:
        """Runs a function again and again; also at once, unless `run_at_start` is False.

        Raises:
            ValueError: The times together are not more than nothing.
        """
        whole = seconds + 60 * minutes + 3600 * hours
        if whole <= 0:
            raise ValueError(f"an interval is longer than {whole} seconds")
        return self._kept(Interval(whole), name, run_at_start)

    def daily(self, hour: int = 0, minute: int = 0, name: str | None = None) -> Callable[[F], F]:
        """Runs a function each day; ValueError for a time that no day has."""
        return self._kept(self._at(hour, minute, None), name)

    def weekly(self, weekday: int = 0, hour: int = 0, minute: int = 0, name: str | None = None) -> Callable[[F], F]:
        """Runs a function each week; Monday is 0, Sunday 6. ValueError for a time that no week has."""
        if not 0 <= weekday <= 6:
            raise ValueError(f"a weekday is 0 (Monday) to 6 (Sunday), not {weekday}")
        return self._kept(self._at(hour, minute, weekday), name)

    def start(self, bot: "Bot", **data: Any) -> None:
        """Begins, in the running loop; while it runs, nothing more. Usually called in `on_startup`.

        Args:
            bot: For jobs that ask for it.
            data: More for jobs to ask for. With `dispatcher=`, also what its container provides.
        """
        if self._tasks:
            return
        given: dict[str, Any] = {"bot": bot, **data}
        container = getattr(data.get("dispatcher"), "container", None)
        if container is not None:
            given[SCOPE] = UpdateScope(container)
        self._is_stopping = False
        for job in self.jobs:
            task = asyncio.create_task(self._run(job, given, current_clock.get()), name=f"job {job.name}")
            self._tasks.add(task)

    async def stop(self, grace: float = 10.0) -> None:
        """Ends. Jobs that run have so many seconds, and are cancelled then."""
        self._is_stopping = True
        for task in self._tasks - self._busy:
            task.cancel()
        if self._busy:
            await asyncio.wait(self._busy, timeout=grace)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    def _at(self, hour: int, minute: int, weekday: int | None) -> Weekly:
        if not (0 <= hour <= 23 and 0 <= minute <= 59):
            raise ValueError(f"a day has no time {hour}:{minute:02}")
        return Weekly(hour, minute, weekday, self._zone)

    def _kept(self, rule: Rule, name: str | None, at_start: bool = False) -> Callable[[F], F]:
        def keep(function: F) -> F:
            shown = name or getattr(function, "__name__", None) or type(function).__name__
            self.jobs.append(Job(shown, function, rule, at_start))
            return function

        return keep

    async def _run(self, job: Job, data: dict[str, Any], clock: Clock) -> None:
        planned = clock.now()
        if job.at_start:
            await self._do(job, data)
        while not self._is_stopping:
            planned = job.rule.after(planned)
            if planned < clock.now():  # the job took longer, or the machine slept
                planned = job.rule.after(clock.now())
            while (left := (planned - clock.now()).total_seconds()) > 0:
                await clock.sleep(min(left, _LONGEST_SLEEP))
            await self._do(job, data)

    async def _do(self, job: Job, data: dict[str, Any]) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - for the type checker
        self._busy.add(task)
        try:
            await call(job.function, data, in_thread=True)
        except Exception:
            logger.exception("The job %s has failed", job.name)
        finally:
            self._busy.discard(task)


__all__ = ["Scheduler"]
