"""What stores in SQL keep beside entities: actions still to be done, answers to events, who holds an entity."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from typing import Any

from spikard.fsm.action_spec import ActionSpec
from spikard.fsm.errors import EventAnsweredError, LeaseLostError
from spikard.fsm.stores.json_text import decoded, encoded
from spikard.fsm.stores.lease import extended
from spikard.fsm.stores.row import AnswerRow, EntityChange, EventEnd, HeldAction, OutboxRow, Settlement
from spikard.fsm.stores.work import Mode, Work

COMPLETED = "status = 'completed', completed_at = {now}, lease_until = NULL, error_message = NULL"
OUTBOX_COLUMNS = "id, entity_id, transition_id, ordinal, action_json, machine_name, about_json"
_HELD = "id, entity_id, machine_name, transition_id, ordinal, action_json, about_json, attempt, fence"


class SqlOutbox(ABC):
    """The part of stores in SQL that deliverers of actions use."""

    @abstractmethod
    def _run(self, mode: Mode, work: Callable[[], Work]) -> Any:
        """Do the work in one transaction, on this thread."""

    async def _arun(self, mode: Mode, work: Callable[[], Work]) -> Any:
        return await asyncio.to_thread(self._run, mode, work)

    def get_outbox(self, entity_id: str) -> list[OutboxRow]:
        """Actions that are kept and not done."""

        def work() -> Work:
            rows = yield (
                (
                    "SELECT id, transition_id, ordinal, action_json, about_json FROM {s}fsm_outbox "
                    "WHERE entity_id = ? AND status = 'pending' ORDER BY transition_id, ordinal"
                ),
                (entity_id,),
            )
            return [OutboxRow(row[0], row[1], row[2], decoded(row[3]), decoded(row[4]) or {}) for row in rows]

        found: list[OutboxRow] = self._run("read", work)
        return found

    def claim_outbox(
        self, worker_id: str, limit: int, lease_seconds: float, machines: Collection[str] | None = None
    ) -> list[HeldAction]:
        """Actions that are due, of all machines or of some, for one deliverer alone until the lease ends."""
        held: list[HeldAction] = self._run("write", lambda: _claim(worker_id, limit, lease_seconds, machines))
        return held

    def extend_outbox(self, held: Mapping[str, int], lease_seconds: float) -> None:
        """Hold actions for longer, by their ids and fences."""
        self._run("write", lambda: extended("fsm_outbox", "next_at", "pending", held.items(), lease_seconds))

    def revive_outbox(self, outbox_id: str) -> bool:
        """Have an action that was given up done after all; whether there was such a one."""

        def work() -> Work:
            return (
                yield (
                    (
                        "UPDATE {s}fsm_outbox SET status = 'pending', next_at = {now}, attempt = 0 "
                        "WHERE id = ? AND status = 'dead' RETURNING id"
                    ),
                    (outbox_id,),
                )
            )

        return bool(self._run("write", work))

    # Events that come twice

    def answer(self, key: str) -> dict[str, Any] | None:
        """What was answered to an event, or None."""
        found: dict[str, Any] | None = self._run("read", lambda: _answer(key))
        return found

    async def aanswer(self, key: str) -> dict[str, Any] | None:
        """`answer`, awaited."""
        found: dict[str, Any] | None = await self._arun("read", lambda: _answer(key))
        return found

    def keep_answer(self, answer: AnswerRow) -> None:
        """Keep an answer by itself; `EventAnsweredError` where a first one is not the first."""
        self._run("write", lambda: kept_answer(answer))

    def forget_answer(self, key: str) -> None:
        """Have an event be new again."""

        def work() -> Work:
            yield "DELETE FROM {s}fsm_answers WHERE event_key = ?", (key,)

        self._run("write", work)

    def purge_answers(self) -> int:
        """Forget answers whose time is up; how many there were."""

        def work() -> Work:
            return (yield "DELETE FROM {s}fsm_answers WHERE expires_at < {now} RETURNING event_key", ())

        return len(self._run("write", work))

    # Entities that are held

    def try_hold(self, entity_id: str, holder: str, seconds: float) -> bool:
        """Keep everybody else from an entity for a while; False while somebody else does."""

        def work() -> Work:
            return (
                yield (
                    (
                        "INSERT INTO {s}fsm_holds (entity_id, holder, held_until) VALUES (?, ?, {later}) "
                        "ON CONFLICT (entity_id) DO UPDATE SET holder = excluded.holder, "
                        "held_until = excluded.held_until "
                        "WHERE {s}fsm_holds.held_until < {now} OR {s}fsm_holds.holder = excluded.holder "
                        "RETURNING entity_id"
                    ),
                    (entity_id, holder, seconds),
                )
            )

        return bool(self._run("write", work))

    def release(self, entity_id: str, holder: str) -> None:
        """Let others have the entity, if it is still held."""

        def work() -> Work:
            yield "DELETE FROM {s}fsm_holds WHERE entity_id = ? AND holder = ?", (entity_id, holder)

        self._run("write", work)


def settle(settled: Mapping[str, Settlement]) -> Work:
    """Forget what is done, and note what has failed; `LeaseLostError` where something is not held that has to be."""
    for outbox_id, settlement in settled.items():
        fenced, last = ("", ()) if settlement.fence is None else (" AND fence = ?", (settlement.fence,))
        if settlement.status == "done":
            rows = yield f"DELETE FROM {{s}}fsm_outbox WHERE id = ?{fenced} RETURNING id", (outbox_id, *last)
        else:
            status = "pending" if settlement.status == "failed" else "dead"
            # Done in place by whoever has put it in: an attempt of its own. Claims count themselves.
            more = 1 if settlement.fence is None else 0
            rows = yield (
                (
                    "UPDATE {s}fsm_outbox SET status = ?, next_at = {later}, error_message = ?, attempt = attempt + ? "
                    f"WHERE id = ?{fenced} RETURNING id"
                ),
                (status, settlement.pause, settlement.error, more, outbox_id, *last),
            )
        if settlement.fence is not None and not rows:
            raise LeaseLostError("action", outbox_id)


def put(change: EntityChange) -> Work:
    """Take in what a change wants done."""
    machine = change.metadata.get("machine_name")
    for row in change.outbox:
        yield (
            (
                f"INSERT INTO {{s}}fsm_outbox ({OUTBOX_COLUMNS}, next_at, created_at) "
                "VALUES (?, ?, ?, ?, ?j, ?, ?j, {later}, {now})"
            ),
            (*outbox_values(change.entity_id, row, machine), change.outbox_lease),
        )


def outbox_values(entity_id: str, row: OutboxRow, machine: str | None) -> tuple[Any, ...]:
    """The values of `OUTBOX_COLUMNS`."""
    action = row.action.to_config() if isinstance(row.action, ActionSpec) else row.action
    about = encoded(dict(row.about))
    return row.outbox_id, entity_id, row.transition_id, row.ordinal, encoded(action), machine, about


def kept_answer(answer: AnswerRow) -> Work:
    """Keep an answer; `EventAnsweredError` where a first one is not the first."""
    only = " WHERE {s}fsm_answers.expires_at < {now}" if answer.is_first else ""
    rows = yield (
        (
            "INSERT INTO {s}fsm_answers (event_key, payload_json, expires_at) VALUES (?, ?j, {later}) "
            "ON CONFLICT (event_key) DO UPDATE SET payload_json = excluded.payload_json, "
            f"expires_at = excluded.expires_at{only} RETURNING event_key"
        ),
        (answer.key, encoded(dict(answer.payload)), answer.seconds),
    )
    if not rows:
        raise EventAnsweredError(answer.key)


def end(ended: EventEnd) -> Work:
    """End an event of a queue; `LeaseLostError` where it is not held any more."""
    given = None if ended.result is None else encoded(dict(ended.result))
    rows = yield (
        (
            f"UPDATE {{s}}{ended.table} SET {COMPLETED}, result_json = ?j "
            "WHERE id = ? AND status = 'claimed' AND fence = ? RETURNING id"
        ),
        (given, ended.event_id, ended.fence),
    )
    if not rows:
        raise LeaseLostError("event", ended.event_id)


def _answer(key: str) -> Work:
    rows = yield "SELECT payload_json FROM {s}fsm_answers WHERE event_key = ? AND expires_at >= {now}", (key,)
    return decoded(rows[0][0]) if rows else None


def _claim(worker_id: str, limit: int, lease_seconds: float, machines: Collection[str] | None) -> Work:
    named = "" if machines is None else f" AND machine_name IN ({', '.join('?' for _ in machines) or 'NULL'})"
    rows = yield (
        (
            "WITH due AS MATERIALIZED (SELECT id FROM {s}fsm_outbox WHERE status = 'pending' AND next_at <= {now}"
            f"{named} ORDER BY next_at, id LIMIT ? {{skip_locked}}) "
            "UPDATE {s}fsm_outbox SET next_at = {later}, claimed_by = ?, attempt = attempt + 1, fence = fence + 1 "
            f"WHERE id IN (SELECT id FROM due) RETURNING {_HELD}"
        ),
        (*(machines or ()), limit, lease_seconds, worker_id),
    )
    held = []
    for outbox_id, entity_id, machine, transition_id, ordinal, action, about, attempt, fence in rows:
        told = decoded(action), decoded(about) or {}
        held.append(HeldAction(outbox_id, entity_id, machine, transition_id, ordinal, *told, attempt, fence))
    return sorted(held, key=lambda action: (action.transition_id, action.ordinal))
