"""The table of timers, as statements: how they are armed with a step, fire with one, are claimed and cancelled.

A timer that a step arms is kept with that step, and goes with the step that leaves its state or that it causes. Whoever
claims one holds it for a lease; `fence` grows with every claim and every new arming, so that nobody fires what was
armed anew in the meantime. Timers under keys that begin with `#` belong to no state; of those it is remembered for a
while what has become of them.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import msgspec

from spikard.fsm.errors import TimerGoneError
from spikard.fsm.stores.row import EntityChange, SpentTimer, TimerRow
from spikard.fsm.stores.work import Work

Stored = Callable[[datetime | None], Any]

# What those who wait for timers are told; timers that are due later than this are found by looking.
SOON_MS = 2_000
TABLE = "fsm_timers"
_CLAIMED = (
    'task_id, machine_name, entity_id, timer_key, "trigger", fires_at, entered_at, payload_json, attempt, fence, '
    "metadata_json, delay_ms, scheduled_at"
)
TASK = f"{_CLAIMED}, status, fired_at"


def timer_task_id(machine: str | None, entity_id: str, timer_key: str) -> str:
    """The id under which schedulers know a timer, the same in every process."""
    return str(uuid5(NAMESPACE_OID, f"{machine}\0{entity_id}\0{timer_key}"))


def spend(spent: SpentTimer, entity_id: str, stored: Stored) -> Work:
    """End a timer with the step it causes, or `TimerGoneError`."""
    # Entities are locked before their timers, as steps do it, and two of them always in the same order.
    yield (
        "SELECT entity_id FROM {s}entity_states WHERE entity_id IN (?, ?) ORDER BY entity_id {for_update}",
        (spent.entity_id, entity_id),
    )
    where = "entity_id = ? AND timer_key = ? AND status = 'pending'"
    given: list[Any] = [spent.entity_id, spent.timer_key]
    for column, value in (("entered_at", stored(spent.entered_at)), ("fence", spent.fence)):
        if value is not None:
            where, given = f"{where} AND {column} = ?", [*given, value]
    if spent.timer_key.startswith("#"):
        ending = (
            f"UPDATE {{s}}fsm_timers SET status = 'completed', fired_at = {{now}}, lease_until = NULL WHERE {where}"
        )
    else:
        ending = f"DELETE FROM {{s}}fsm_timers WHERE {where}"
    if not (yield f"{ending} RETURNING timer_key", tuple(given)):
        raise TimerGoneError(spent.timer_key)


def change_timers(change: EntityChange, version: int, stored: Stored) -> Work:
    """Stop the timers that a change stops, and arm those it arms."""
    entity_id = change.entity_id
    if change.cancel_timers:
        names = ", ".join("?" for _ in change.cancel_timers)
        yield (
            f"DELETE FROM {{s}}fsm_timers WHERE entity_id = ? AND {{state_of_timer}} IN ({names})",
            (entity_id, *change.cancel_timers),
        )
    for key in change.cancel_keys:
        yield "DELETE FROM {s}fsm_timers WHERE entity_id = ? AND timer_key = ?", (entity_id, key)
    machine, is_soon = change.metadata.get("machine_name"), False
    for timer in change.arm_timers:
        yield from arm(entity_id, machine, timer, stored, fingerprint=change.fingerprint, version=version)
        is_soon = is_soon or timer.delay_ms is None or timer.delay_ms < SOON_MS
    if is_soon:
        yield "{notify}", (TABLE,)


def arm(
    entity_id: str,
    machine: str | None,
    timer: TimerRow,
    stored: Stored,
    *,
    fingerprint: str | None = None,
    version: int | None = None,
    task_id: str | None = None,
    metadata: dict[str, Any] | None = None,
    owner: str | None = None,
) -> Work:
    """Arm a timer; one under the same key gives way."""
    values: dict[str, Any] = {
        "entity_id": entity_id, "timer_key": timer.timer_key, "machine_name": machine, "trigger": timer.trigger,
        "fires_at": stored(timer.fires_at), "fingerprint": fingerprint, "entity_version": version,
        "task_id": task_id or timer_task_id(machine, entity_id, timer.timer_key),
        "entered_at": stored(timer.entered_at), "delay_ms": timer.delay_ms,
        "payload_json": _encoded(timer.payload), "metadata_json": _encoded(metadata), "owner": owner,
    }  # fmt: skip
    names = ", ".join(f'"{name}"' for name in values)
    marks = ", ".join("?j" if name.endswith("_json") else "?" for name in values)
    kept = ", ".join(f'"{name}" = excluded."{name}"' for name in values if name not in ("entity_id", "timer_key"))
    yield (
        (
            f"INSERT INTO {{s}}fsm_timers ({names}, scheduled_at) VALUES ({marks}, {{now}}) "
            f"ON CONFLICT (entity_id, timer_key) DO UPDATE SET {kept}, scheduled_at = {{now}}, lease_until = NULL, "
            "claimed_by = NULL, fired_at = NULL, status = 'pending', attempt = 0, fence = {s}fsm_timers.fence + 1"
        ),
        tuple(values.values()),
    )


def claim(
    claimer: str, limit: int, lease_seconds: float, now: Any, *, machines: Sequence[str] | None, task_id: str | None
) -> Work:
    """Timers that are due and nobody holds, the earliest first: of any machine or of those named, and one's own."""
    given: list[Any] = [now]
    names = "machine_name IS NOT NULL"
    if machines is not None:
        names = f"machine_name IN ({', '.join('?' for _ in machines)})" if machines else "1 = 0"
    chosen, given = f" AND ({names} OR owner = ?)", [*given, *(machines or ()), claimer]
    if task_id is not None:
        chosen, given = f"{chosen} AND task_id = ?", [*given, task_id]
    rows = yield (
        (
            "WITH due AS MATERIALIZED (SELECT entity_id, timer_key FROM {s}fsm_timers WHERE status = 'pending' "
            f"AND fires_at <= COALESCE(?, {{now}}) AND (lease_until IS NULL OR lease_until <= {{now}}){chosen} "
            "ORDER BY fires_at LIMIT ? {skip_locked}) "
            "UPDATE {s}fsm_timers SET claimed_by = ?, lease_until = {later}, attempt = attempt + 1, fence = fence + 1 "
            f"WHERE (entity_id, timer_key) IN (SELECT entity_id, timer_key FROM due) RETURNING {_CLAIMED}"
        ),
        (*given, limit, claimer, lease_seconds),
    )
    return sorted(rows, key=lambda row: (row[5], row[2], row[3]))


def settle(task_id: str, fence: int, values: str, given: tuple[Any, ...]) -> Work:
    """Change a timer that is held under a fence; whether it still was."""
    rows = yield (
        (
            f"UPDATE {{s}}fsm_timers SET {values} WHERE task_id = ? AND fence = ? AND status = 'pending' "
            "AND lease_until IS NOT NULL RETURNING task_id"
        ),
        (*given, task_id, fence),
    )
    return bool(rows)


def extend(task_id: str, fence: int, seconds: float) -> Work:
    """Hold a timer for longer."""
    return (yield from settle(task_id, fence, "lease_until = {later}", (seconds,)))


def postpone(task_id: str, fence: int, error: str, seconds: float) -> Work:
    """Have a timer tried again after some seconds."""
    values = "lease_until = {later}, claimed_by = NULL, error_message = ?"
    return (yield from settle(task_id, fence, values, (seconds, error)))


def release(task_id: str, fence: int) -> Work:
    """Give a timer back that nobody has begun with."""
    values = "lease_until = NULL, claimed_by = NULL, attempt = attempt - 1"
    return (yield from settle(task_id, fence, values, ()))


def finish(task_id: str, fence: int, status: str, error: str | None) -> Work:
    """End a timer that is held: those of states go, of others it is remembered how they ended."""
    where = "WHERE task_id = ? AND fence = ? AND status = 'pending'"
    rows = yield (
        (
            "UPDATE {s}fsm_timers SET status = ?, fired_at = {now}, lease_until = NULL, error_message = ? "
            f"{where} AND timer_key LIKE '#%' RETURNING task_id"
        ),
        (status, error, task_id, fence),
    )
    if not rows:
        rows = yield f"DELETE FROM {{s}}fsm_timers {where} RETURNING task_id", (task_id, fence)
    return bool(rows)


def cancel(task_id: str) -> Work:
    """Do not fire a timer; whether it was waiting."""
    rows = yield (
        (
            "UPDATE {s}fsm_timers SET status = 'cancelled', lease_until = NULL, fence = fence + 1 "
            "WHERE task_id = ? AND status = 'pending' RETURNING task_id"
        ),
        (task_id,),
    )
    return bool(rows)


def cancel_for_entity(entity_id: str) -> Work:
    """Fire nothing for an entity; how many timers waited."""
    rows = yield (
        (
            "UPDATE {s}fsm_timers SET status = 'cancelled', lease_until = NULL, fence = fence + 1 "
            "WHERE entity_id = ? AND status = 'pending' RETURNING task_id"
        ),
        (entity_id,),
    )
    return len(rows)


def next_due(now: Any) -> Work:
    """When the next timer will be due, as stored; None where there is none. What is due already is not meant."""
    rows = yield (
        "SELECT MIN(fires_at) FROM {s}fsm_timers WHERE status = 'pending' AND fires_at > COALESCE(?, {now})",
        (now,),
    )
    return rows[0][0]


def pending(entity_id: str | None) -> Work:
    """The timers that wait, of one entity or of all, the earliest first."""
    chosen, given = ("", ()) if entity_id is None else (" AND entity_id = ?", (entity_id,))
    return (yield f"SELECT {TASK} FROM {{s}}fsm_timers WHERE status = 'pending'{chosen} ORDER BY fires_at", given)


def find(task_id: str) -> Work:
    """A timer by its id, or None."""
    rows = yield f"SELECT {TASK} FROM {{s}}fsm_timers WHERE task_id = ?", (task_id,)
    return rows[0] if rows else None


def last_seen(now: Any) -> Work:
    """When timers were last looked after, as stored, if that is known; from now on, now."""
    rows = yield "SELECT last_seen FROM {s}fsm_timer_watch WHERE name = 'timers' {for_update}", ()
    yield (
        (
            "INSERT INTO {s}fsm_timer_watch (name, last_seen) VALUES ('timers', ?) "
            "ON CONFLICT (name) DO UPDATE SET last_seen = excluded.last_seen"
        ),
        (now,),
    )
    return rows[0][0] if rows else None


def move(task_id: str, fires_at: Any) -> Work:
    """Have a timer that nobody holds fire at another moment."""
    yield (
        "UPDATE {s}fsm_timers SET fires_at = ? WHERE task_id = ? AND status = 'pending' AND lease_until IS NULL",
        (fires_at, task_id),
    )


def forget_finished(seconds: float) -> Work:
    """Forget what ended longer ago than some seconds."""
    yield (
        "DELETE FROM {s}fsm_timers WHERE status <> 'pending' AND COALESCE(fired_at, scheduled_at, fires_at) <= {later}",
        (-seconds,),
    )


def _encoded(value: Any) -> str | None:
    return None if value is None else msgspec.json.encode(value, enc_hook=str).decode()
