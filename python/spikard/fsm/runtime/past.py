"""What entities have gone through, out of stores in SQL."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from spikard.fsm.queue.table import moment
from spikard.fsm.runtime.snapshot import TransitionEvent, TransitionsPage
from spikard.fsm.stores.json_text import decoded
from spikard.fsm.stores.sql import SqlStateStore
from spikard.fsm.stores.work import Work

_COLUMNS = (
    'id, entity_id, source_state, "trigger", success, created_at, machine_name, target_state, error_type, '
    "error_message, context_snapshot, actions_executed, duration_ms"
)


def transitions(
    store: Any,
    after: str | None,
    limit: int,
    wanted: Mapping[str, Any],
    start_at: datetime | None = None,
    end_at: datetime | None = None,
) -> TransitionsPage:
    """A page of transitions, the oldest first. Cursors are ids, which grow with time."""
    if not isinstance(store, SqlStateStore):
        raise RuntimeError(f"list_transitions requires a state store in SQL (got {type(store).__name__})")
    limit = max(limit, 0)  # none are asked for: an empty page
    conditions = [(f"{name} = ?", value) for name, value in wanted.items() if value is not None]
    if after is not None:
        conditions.append(("id > ?", _id_of(after)))
    if start_at is not None:
        conditions.append(("created_at >= ?", store._time(start_at)))
    if end_at is not None:
        conditions.append(("created_at < ?", store._time(end_at)))
    where = "".join(f" AND {condition}" for condition, _ in conditions)

    def work() -> Work:
        return (
            yield (
                f"SELECT {_COLUMNS} FROM {{s}}transition_history WHERE 1 = 1{where} ORDER BY id LIMIT ?",
                (*(value for _, value in conditions), limit + 1),
            )
        )

    rows = store._run("read", work)
    items = [_event(row) for row in rows[:limit]]
    return TransitionsPage(items, items[-1].cursor if items and len(rows) > limit else None)


def _id_of(cursor: str) -> str:
    try:
        return str(UUID(cursor))
    except ValueError:
        raise ValueError("malformed cursor") from None


def _event(row: Any) -> TransitionEvent:
    line_id, entity_id, source, trigger, success, at, machine, target, kind, message, payload, actions, took = row
    return TransitionEvent(
        line_id, entity_id, source, trigger, bool(success), moment(at), line_id, machine, target, kind, message,
        decoded(payload), decoded(actions), None if took is None else round(took),
    )  # fmt: skip
