"""Timers of an entity, carried over to another version."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from spikard.fsm.stores.row import TimerRow
from spikard.fsm.timer_table import StateTimer

TimerPolicy = Literal["resume", "restart"]


def carried(
    armed: Iterable[TimerRow],
    table: Mapping[str, list[StateTimer]],
    active: Mapping[str, str | None],
    renamed: Callable[[str], str],
    context: Mapping[str, Any],
    entered_at: datetime | None,
    now: datetime,
    policy: TimerPolicy,
) -> tuple[list[TimerRow], list[str], list[str]]:
    """Timers to arm, keys to cancel, and the keys of those that have no counterpart.

    `table` is what states of the new version arm, `active` the states in which the entity now is, each with its former
    name, or None where it was not in it before. With `resume` timers keep their moments, and those that are new count
    from the entry that they have missed; with `restart` all count from now. Timers of no state stay.
    """
    free = {name: list(table.get(name, ())) for name in active}
    arming: list[TimerRow] = []
    cancelled, stopped = [], []
    for row in armed:
        former, _, kind = row.timer_key.partition("#")
        if not former:
            continue
        found = _counterpart(row, former, kind, free.get(renamed(former), []))
        if found is None:
            cancelled.append(row.timer_key)
            stopped.append(row.timer_key)
            continue
        free[renamed(former)].remove(found)
        fires_at = row.fires_at if policy == "resume" else found.due(context, now)
        if fires_at is None or (found.key, found.trigger, fires_at) == (row.timer_key, row.trigger, row.fires_at):
            continue
        if found.key != row.timer_key:
            cancelled.append(row.timer_key)
        arming.append(row._replace(timer_key=found.key, trigger=found.trigger, fires_at=fires_at))
    for name, timers in free.items():
        is_known = active[name] is not None and entered_at is not None
        start = entered_at if is_known and entered_at is not None and policy == "resume" else now
        for timer in timers:
            due = timer.due(context, start)
            if due is not None:
                arming.append(TimerRow(timer.key, timer.trigger, max(due, now), entered_at or now, _delay(due - start)))
    return arming, [key for key in cancelled if key not in {row.timer_key for row in arming}], stopped


def _counterpart(row: TimerRow, former: str, kind: str, candidates: list[StateTimer]) -> StateTimer | None:
    """The timer of the new version that is the same: of the same kind, then with the same trigger."""
    if not kind.isdigit():
        return next((timer for timer in candidates if timer.key.partition("#")[2] == kind), None)
    numbered = [timer for timer in candidates if timer.key.partition("#")[2].isdigit()]
    for timer in numbered:
        if timer.trigger == row.trigger:
            return timer
    # Names of generated triggers hold those of their states.
    if row.trigger.startswith(f"_after_{former}_"):
        return next((timer for timer in numbered if timer.trigger.startswith("_after_")), None)
    return None


def _delay(span: timedelta) -> int:
    return max(0, round(span.total_seconds() * 1000))
