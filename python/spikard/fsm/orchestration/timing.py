"""Time for entities: the timers that states arm, and what happens when they fire."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from spikard.fsm.action_spec import ActionSpec
from spikard.fsm.event import Event
from spikard.fsm.offer import offered
from spikard.fsm.schedulers.due_timer import DueTimer
from spikard.fsm.schedulers.restoring import RestorePolicy, restored
from spikard.fsm.stored_state import parse_stored_state
from spikard.fsm.stores.row import EntityChange, SpentTimer, TimerRow
from spikard.fsm.stores.timer_statements import timer_task_id
from spikard.fsm.timer_table import RECURRING, StateTimer, timers_of
from spikard.fsm.transition_result import TransitionResult

if TYPE_CHECKING:
    from spikard.fsm.orchestration.orchestrator import Orchestrator

logger = logging.getLogger("spikard.fsm.orchestrator")

# Milliseconds after it was armed in which a scheduler is told the delay of a timer as it was written.
JUST_NOW = 50


class Timing:
    """The timers of one machine, read once: what each state arms, and what stops with it."""

    def __init__(self, orchestrator: "Orchestrator") -> None:
        self._o = orchestrator
        self.dropped = 0
        # Tasks of schedulers that know nothing of states.
        self._tasks: dict[tuple[str, str], str] = {}
        self._timers = timers_of(orchestrator.machine)
        self.is_needed = bool(self._timers)

    def between(
        self, trail: Iterable[str], is_new: bool, context: Mapping[str, Any], now: datetime | None
    ) -> tuple[tuple[str, ...], tuple[TimerRow, ...]]:
        """The states whose timers stop, and the timers that start, on a way over stored states, in its order.

        A state that is left and entered again on the way starts anew.
        """
        if not self.is_needed:
            return (), ()
        stored = iter(trail)
        here = self.active(next(stored))
        left: set[str] = set()
        entered = set(here) if is_new else set()
        for text in stored:
            there = self.active(text)
            left |= here - there
            entered = (entered - here) | (entered & there) | (there - here)
            here = there
        if not left and not entered:
            return (), ()
        stopping = tuple(name for name in left if name in self._timers)
        moment = now or self._o.clock.now()
        starting = [timer for name in entered & here for timer in self._timers.get(name, ())]
        return stopping, tuple(self._rows(starting, context, moment, moment))

    def at_entry(self, state: str, context: Mapping[str, Any], now: datetime) -> tuple[TimerRow, ...]:
        """The timers of an entity that begins in a state."""
        return self.between((state,), True, context, now)[1]

    def is_computed(self, state: str) -> bool:
        """Whether entities that begin in a state at once have different timers."""
        return any(timer.is_computed for name in self.active(state) for timer in self._timers.get(name, ()))

    def again(self, timer: DueTimer, context: Mapping[str, Any], left: Iterable[str]) -> tuple[TimerRow, ...]:
        """The next time of a timer that recurs, unless its state was left."""
        key = timer.timer_key or ""
        if not key.endswith(RECURRING) or key.removesuffix(RECURRING) in left:
            return ()
        of_state = self._timers.get(key.removesuffix(RECURRING), ())
        return tuple(self._rows([t for t in of_state if t[0] == key], context, self._o.clock.now(), timer.entered_at))

    @staticmethod
    def _rows(
        timers: Iterable[StateTimer], context: Mapping[str, Any], now: datetime, entered_at: datetime | None
    ) -> Iterable[TimerRow]:
        for key, trigger, due, _ in timers:
            fires_at = due(context, now)
            if fires_at is not None:
                yield TimerRow(key, trigger, fires_at, entered_at, max(0, _milliseconds(fires_at - now)))

    def active(self, stored: str) -> frozenset[str]:
        """All states that an entity is in."""
        machine = self._o.machine
        parsed = parse_stored_state(stored, machine.is_parallel_state)
        leaves = [parsed] if isinstance(parsed, str) else [parsed.parallel_state, *parsed.get_all_active()]
        known = [leaf for leaf in leaves if leaf in machine.states]
        return frozenset(name for leaf in known for name in machine.hierarchy.ancestors(leaf))

    # Firing

    def due(self, entity_id: str, timer: TimerRow) -> DueTimer:
        """A timer as those who fire it know it."""
        machine = self._o.machine.name
        return DueTimer(
            timer_task_id(machine, entity_id, timer.timer_key), machine, entity_id, timer.trigger, timer.timer_key,
            timer.fires_at, timer.entered_at, timer.payload or {}, delay_ms=timer.delay_ms or 0,
        )  # fmt: skip

    def holds(self, timer: DueTimer, stored: str | None) -> bool:
        """Whether the entity rests where the timer was armed. That it was not left in between is the store's to say."""
        state = (timer.timer_key or "").partition("#")[0]
        return not state or (stored is not None and state in self.active(stored))

    def spent(self, timer: DueTimer) -> SpentTimer | None:
        """What a store is to end with the step that a timer causes."""
        if timer.timer_key is None or not self._o.access.is_whole:
            return None
        return SpentTimer(timer.entity_id, timer.timer_key, timer.entered_at, timer.fence)

    def drop(self, timer: DueTimer) -> None:
        """Count a timer that has come too late."""
        self.dropped += 1
        logger.info("Timer %s of '%s' is dropped: the state was left", timer.timer_key, timer.entity_id)

    # Schedulers

    def look(self) -> bool:
        """Have the scheduler look by itself; False where it cannot find what the store keeps."""
        scheduler = self._o.scheduler
        finds = offered(scheduler, "finds_timers_of")
        if finds is None or not finds(self._o.store):
            return False
        scheduler.look()
        return True

    async def schedule(self, entity_id: str, change: EntityChange) -> None:
        """Tell the scheduler of timers that stop and start with a change that is kept."""
        scheduler = self._o.scheduler
        if self.look():
            return
        keys = [timer[0] for name in change.cancel_timers for timer in self._timers.get(name, ())]
        for key in (*keys, *change.cancel_keys):
            task_id = self._tasks.pop((entity_id, key), None) or timer_task_id(self._o.machine.name, entity_id, key)
            await scheduler.cancel(task_id)
        for timer in change.arm_timers:
            await self.arm(entity_id, timer)

    async def restore(self, policy: RestorePolicy) -> int:
        """Have a scheduler of this process fire what the store has kept from before it began; how many timers."""
        store, found, last = self._o.store, 0, ""
        if self.look():
            return 0
        if not hasattr(store, "entity_versions"):
            raise TypeError(f"{type(store).__name__} does not say which entities have timers")
        while page := await asyncio.to_thread(store.entity_versions, self._o.machine.name, after=last):
            for entity_id, _ in page:
                for timer in await asyncio.to_thread(store.get_timers, entity_id):
                    if (entity_id, timer.timer_key) not in self._tasks:
                        due = restored(policy, timer.fires_at, timer.delay_ms, None, self._o.clock.now())
                        await self.arm(entity_id, timer._replace(fires_at=due))
                        found += 1
            last = page[-1][0]
        return found

    async def arm(self, entity_id: str, timer: TimerRow) -> None:
        """Have the scheduler fire a timer that is kept."""
        scheduler, due = self._o.scheduler, self.due(entity_id, timer)
        metadata = {
            "machine": due.machine, "timer_key": timer.timer_key, "state": timer.timer_key.partition("#")[0],
            "entered_at": None if timer.entered_at is None else timer.entered_at.isoformat(),
            "payload": dict(due.payload),
        }  # fmt: skip
        delay_ms = max(0, _milliseconds(timer.fires_at - self._o.clock.now()))
        if timer.delay_ms is not None and 0 <= timer.delay_ms - delay_ms < JUST_NOW:
            delay_ms = timer.delay_ms
        task_id = await scheduler.schedule(
            delay_ms=delay_ms, callback=self._firing(due), entity_id=entity_id, event=timer.trigger, metadata=metadata
        )
        if task_id != due.task_id:
            self._tasks[entity_id, timer.timer_key] = task_id

    def _firing(self, due: DueTimer) -> Callable[[], Awaitable[TransitionResult | None]]:
        async def fire() -> TransitionResult | None:
            self._tasks.pop((due.entity_id, due.timer_key or ""), None)
            return await self._o.afire(due)

        return fire

    # Messages

    def message_rows(self, messages: Iterable[tuple[str, ActionSpec]], now: datetime | None) -> tuple[TimerRow, ...]:
        """Timers for messages that are sent later, each with the id that it has without one of its own."""
        moment = now or self._o.clock.now()
        rows = []
        for given_id, message in messages:
            target, event, seconds = self._o.addressed("", message)
            payload = dict(event.payload)
            if target:
                payload["to"] = target
            fires_at = moment + timedelta(seconds=seconds)
            key = f"#{message.params.get('id') or given_id}"
            rows.append(TimerRow(key, event.trigger, fires_at, moment, round(seconds * 1000), payload))
        return tuple(rows)

    def event_of(self, timer: DueTimer) -> tuple[str, Event]:
        """Whom the event of a timer is for, and the event."""
        payload = dict(timer.payload)
        target = str(payload.pop("to", None) or timer.entity_id)
        return target, Event(timer.trigger, payload, source="timer")


def is_of_timers(action: ActionSpec) -> bool:
    """Whether an action sends later, or cancels what was to be sent later."""
    return action.name == "_cancel" or (action.name == "_send" and bool(action.params.get("delay")))


def is_done_behind(action: ActionSpec) -> bool:
    """Whether an action is done once the step is kept, rather than with it."""
    return action.effect is None and not is_of_timers(action)


def _milliseconds(span: timedelta) -> int:
    return round(span.total_seconds() * 1000)
