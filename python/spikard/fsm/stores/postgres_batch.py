"""Many changes in PostgreSQL, with a handful of statements for all of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from spikard.fsm.errors import LeaseLostError, StaleVersionError
from spikard.fsm.event import new_id
from spikard.fsm.stores.json_text import encoded
from spikard.fsm.stores.row import DONE, EntityChange
from spikard.fsm.stores.sql_outbox import COMPLETED, outbox_values
from spikard.fsm.stores.work import Work

Indexed = list[tuple[int, EntityChange]]
Commit = Callable[[EntityChange], Work]

_STEP = (
    ("entity_id", "text"), ("current_state", "text"), ("context_json", "text"), ("history_json", "text"),
    ("fingerprint", "text"), ("entered_at", "timestamptz"), ("machine_name", "text"), ("machine_version", "text"),
    ("is_terminal", "bool"), ("workflow_status", "text"),
)  # fmt: skip
_ABOUT = {"machine_name", "machine_version", "is_terminal", "workflow_status"}
_NEW = ", ".join(f"{name}::jsonb" if name.endswith("_json") else name for name, _ in _STEP)
_SETS = ", ".join(
    [f"{name} = d.{name}" + "::jsonb" * name.endswith("_json") for name, _ in _STEP[1:] if name != "entered_at"]
    + ["entered_at = COALESCE(d.entered_at, e.entered_at)"]
)
_HISTORY = (
    ("id", "text"), ("entity_id", "text"), ("machine_name", "text"), ("source_state", "text"), ("target_state", "text"),
    ("trigger", "text"), ("success", "bool"), ("error_type", "text"), ("error_message", "text"),
    ("actions_executed", "text"), ("context_snapshot", "text"), ("created_at", "timestamptz"),
    ("duration_ms", "float8"), ("event_id", "text"), ("transition_id", "text"), ("seq", "bigint"),
    ("machine_version", "text"),
)  # fmt: skip
_OUTBOX = (
    ("id", "text"), ("entity_id", "text"), ("transition_id", "text"), ("ordinal", "int"), ("action_json", "text"),
    ("machine_name", "text"), ("about_json", "text"), ("lease", "float8"),
)  # fmt: skip


class LeaseOfOneLostError(Exception):
    """One of many has lost its event: nothing was kept, and each is to be tried for itself."""


def commit_many(changes: Sequence[EntityChange], commit: Commit, line_values: Callable[..., tuple[Any, ...]]) -> Work:
    """Keep changes of as many entities; for each its version, or why it was not kept.

    Those of an uncommon kind go one by one, with `commit`. `LeaseOfOneLostError` where somebody else has an event.
    """
    outcomes: list[int | Exception] = [0] * len(changes)
    indexed = list(enumerate(changes))
    together = [(i, change) for i, change in indexed if _is_common(change)]
    kept = yield from _steps([(i, c) for i, c in together if c.state is not None], outcomes)
    patched = yield from _patches([(i, c) for i, c in together if c.state is None and c.touches_entity], outcomes)
    kept += [*patched, *((i, c) for i, c in together if not c.touches_entity)]
    now = datetime.now(UTC)
    yield from _insert(
        "transition_history", _HISTORY,
        [line_values(c, line, outcomes[i], now) for i, c in kept for line in c.transitions],
    )  # fmt: skip
    yield from _put([c for _, c in kept])
    done = [outbox_id for _, c in kept for outbox_id in c.settled]
    if done:
        yield "DELETE FROM {s}fsm_outbox WHERE id = ANY(?::text[])", (done,)
    yield from _end([c for _, c in kept])
    for i, change in indexed:
        if not _is_common(change):
            outcomes[i] = yield from _apart(change, commit)
    return outcomes


def create(pattern: EntityChange, entities: Sequence[tuple[str, Mapping[str, Any]]]) -> Work:
    """Keep new entities that differ in their ids and contexts only; how many there were."""
    shared = [(name, kind) for name, kind in _STEP if name not in ("entity_id", "context_json")]
    values = dict(zip((name for name, _ in _STEP), _step(pattern), strict=True))
    marks = ", ".join(f"?::{'jsonb' if name.endswith('_json') else kind}" for name, kind in shared)
    rows = yield (
        (
            f"INSERT INTO {{s}}entity_states (id, entity_id, context_json, {_names(shared)}, created_at, updated_at) "
            f"SELECT id, entity_id, context::jsonb, {marks}, now(), now() "
            "FROM unnest(?::text[], ?::text[], ?::text[]) AS d(id, entity_id, context) "
            "ON CONFLICT (entity_id) DO NOTHING RETURNING version"
        ),
        (
            *(values[name] for name, _ in shared), [new_id() for _ in entities],
            [entity_id for entity_id, _ in entities], [encoded(dict(context)) for _, context in entities],
        ),
    )  # fmt: skip
    return len(rows)


def _is_common(change: EntityChange) -> bool:
    if change.answer is not None or change.sets_timers or change.spent is not None:
        return False
    if any(settlement is not DONE for settlement in change.settled.values()):
        return False
    if change.state is None:
        return change.context is None and change.history is None and change.expected_version is None
    # What a change does not name stays as it is; the statement for many writes all of it.
    is_whole = None not in (change.context, change.history, change.fingerprint) and change.metadata.keys() >= _ABOUT
    return is_whole and change.expected_version is not None and change.patch is None and not change.removed


def _apart(change: EntityChange, commit: Commit) -> Work:
    yield "SAVEPOINT spikard_change", ()
    try:
        version = yield from commit(change)
    except (StaleVersionError, LeaseLostError) as error:
        yield "ROLLBACK TO SAVEPOINT spikard_change", ()
        return error
    yield "RELEASE SAVEPOINT spikard_change", ()
    return version


def _steps(changes: Indexed, outcomes: list[int | Exception]) -> Work:
    found: dict[str, int] = {}
    old = [c for _, c in changes if c.expected_version]
    new = [c for _, c in changes if not c.expected_version]
    now = datetime.now(UTC)
    if old:
        rows = yield (
            (
                f"UPDATE {{s}}entity_states e SET {_SETS}, version = e.version + 1, updated_at = ? "
                f"FROM unnest(?::int[], {_marks(_STEP)}) AS d(expected, {_names(_STEP)}) "
                "WHERE e.entity_id = d.entity_id AND e.version = d.expected RETURNING e.entity_id, e.version"
            ),
            (now, [c.expected_version for c in old], *_columns(map(_step, old), len(_STEP))),
        )
        found.update((row[0], row[1]) for row in rows)
    if new:
        sets = ", ".join(f"{name} = excluded.{name}" for name, _ in _STEP[1:])
        rows = yield (
            (
                f"INSERT INTO {{s}}entity_states (id, created_at, updated_at, {_names(_STEP)}) "
                f"SELECT id, ?, ?, {_NEW} FROM unnest(?::text[], {_marks(_STEP)}) AS d(id, {_names(_STEP)}) "
                f"ON CONFLICT (entity_id) DO UPDATE SET {sets}, version = {{s}}entity_states.version + 1, "
                "updated_at = excluded.updated_at WHERE {s}entity_states.version = 0 RETURNING entity_id, version"
            ),
            (now, now, [new_id() for _ in new], *_columns(map(_step, new), len(_STEP))),
        )
        found.update((row[0], row[1]) for row in rows)
    return (yield from _kept(changes, found, outcomes))


def _patches(changes: Indexed, outcomes: list[int | Exception]) -> Work:
    if not changes:
        return []
    rows = yield (
        (
            "UPDATE {s}entity_states e SET version = e.version + 1, updated_at = now(), context_json = "
            "(e.context_json - ARRAY(SELECT jsonb_array_elements_text(d.removed::jsonb))) || d.patch::jsonb "
            "FROM unnest(?::text[], ?::text[], ?::text[]) AS d(entity_id, removed, patch) "
            "WHERE e.entity_id = d.entity_id RETURNING e.entity_id, e.version"
        ),
        (
            [c.entity_id for _, c in changes], [encoded(list(c.removed)) for _, c in changes],
            [encoded(dict(c.patch or {})) for _, c in changes],
        ),
    )  # fmt: skip
    return (yield from _kept(changes, {row[0]: row[1] for row in rows}, outcomes))


def _kept(changes: Indexed, found: dict[str, int], outcomes: list[int | Exception]) -> Work:
    missing = [c.entity_id for _, c in changes if c.entity_id not in found]
    actual: dict[str, int] = {}
    if missing:
        rows = yield "SELECT entity_id, version FROM {s}entity_states WHERE entity_id = ANY(?::text[])", (missing,)
        actual = {row[0]: row[1] for row in rows}
    for i, c in changes:
        stale = StaleVersionError(c.entity_id, c.expected_version or 0, actual.get(c.entity_id, 0))
        outcomes[i] = found.get(c.entity_id, stale)
    return [(i, c) for i, c in changes if c.entity_id in found]


def _put(changes: Iterable[EntityChange]) -> Work:
    rows = [
        (*outbox_values(c.entity_id, row, c.metadata.get("machine_name")), float(c.outbox_lease))
        for c in changes
        for row in c.outbox
    ]
    if rows:
        names = _names(_OUTBOX[:-1])
        yield (
            (
                f"INSERT INTO {{s}}fsm_outbox ({names}, next_at, created_at) "
                "SELECT id, entity_id, transition_id, ordinal, action_json::jsonb, machine_name, about_json::jsonb, "
                "now() + lease * interval '1 second', now() "
                f"FROM unnest({_marks(_OUTBOX)}) AS d({_names(_OUTBOX)})"
            ),
            tuple(_columns(rows, len(_OUTBOX))),
        )


def _end(changes: Iterable[EntityChange]) -> Work:
    ends = [c.ends for c in changes if c.ends is not None]
    for table in {end.table for end in ends}:
        chosen = [end for end in ends if end.table == table]
        results = [None if end.result is None else encoded(dict(end.result)) for end in chosen]
        rows = yield (
            (
                f"UPDATE {{s}}{table} w SET {COMPLETED}, result_json = d.result::jsonb "
                "FROM unnest(?::text[], ?::bigint[], ?::text[]) AS d(id, fence, result) "
                "WHERE w.id = d.id AND w.fence = d.fence AND w.status = 'claimed' RETURNING w.id"
            ),
            ([end.event_id for end in chosen], [end.fence for end in chosen], results),
        )
        if len(rows) < len(chosen):
            raise LeaseOfOneLostError


def _insert(table: str, columns: Sequence[tuple[str, str]], rows: list[tuple[Any, ...]]) -> Work:
    if not rows:
        return
    values = ", ".join(
        f'"{n}"::jsonb' if n in ("actions_executed", "context_snapshot") else f'"{n}"' for n, _ in columns
    )
    yield (
        (
            f"INSERT INTO {{s}}{table} ({_names(columns)}) SELECT {values} "
            f"FROM unnest({_marks(columns)}) AS d({_names(columns)})"
        ),
        tuple(_columns(rows, len(columns))),
    )


def _step(change: EntityChange) -> tuple[Any, ...]:
    about = change.metadata
    return (
        change.entity_id, change.state, encoded(change.context or {}), encoded(dict(change.history or {})),
        change.fingerprint, change.entered_at, about.get("machine_name"), about.get("machine_version"),
        about.get("is_terminal"), about.get("workflow_status"),
    )  # fmt: skip


def _columns(rows: Iterable[tuple[Any, ...]], width: int) -> list[list[Any]]:
    columns = [list(column) for column in zip(*rows, strict=True)]
    return columns or [[] for _ in range(width)]


def _names(columns: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f'"{name}"' for name, _ in columns)


def _marks(columns: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"?::{kind}[]" for _, kind in columns)
