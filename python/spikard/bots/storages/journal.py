"""The journal of updates, offsets, dead letters and leases in SQL: works of statements."""

from collections.abc import Sequence

from spikard.bots.clock import now
from spikard.bots.offsets import DeadLetter, Finish, JournalEntry, Write
from spikard.bots.storages import records
from spikard.fsm.stores.work import Work

TABLES = (
    """CREATE TABLE IF NOT EXISTS spikard_bot_inbox (
    bot_id TEXT NOT NULL, event_id BIGINT NOT NULL, raw TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (bot_id, event_id))""",
    """CREATE TABLE IF NOT EXISTS spikard_bot_offset (
    bot_id TEXT PRIMARY KEY, event_id BIGINT NOT NULL, holder TEXT, lease_until {time})""",
    """CREATE TABLE IF NOT EXISTS spikard_bot_dead (
    bot_id TEXT NOT NULL, event_id BIGINT NOT NULL, raw TEXT NOT NULL, attempts INTEGER NOT NULL,
    error TEXT NOT NULL, died_at {real} NOT NULL, PRIMARY KEY (bot_id, event_id))""",
)
_ROWS_AT_ONCE = 100
_ONE = "WHERE bot_id = ? AND event_id = ?"


class RecordConflictError(Exception):
    """A record has another version than expected: the whole transaction is off."""


def last_id(bot_id: str) -> Work:
    """The greatest id that was taken over."""
    rows = yield "SELECT event_id FROM spikard_bot_offset WHERE bot_id = ?", (bot_id,)
    return rows[0][0] if rows else 0


def take(bot_id: str, greatest: int, entries: Sequence[JournalEntry]) -> Work:
    """Keeps entries and the offset."""
    for start in range(0, len(entries), _ROWS_AT_ONCE):
        some = entries[start : start + _ROWS_AT_ONCE]
        values = [value for entry in some for value in (bot_id, entry.event_id, entry.raw.decode())]
        yield (
            (
                f"INSERT INTO spikard_bot_inbox (bot_id, event_id, raw) VALUES {', '.join(['(?, ?, ?)'] * len(some))} "  # noqa: S608 - constants
                "ON CONFLICT (bot_id, event_id) DO NOTHING"
            ),
            tuple(values),
        )
    yield (
        (
            "INSERT INTO spikard_bot_offset (bot_id, event_id) VALUES (?, ?) ON CONFLICT (bot_id) DO UPDATE "
            "SET event_id = excluded.event_id WHERE spikard_bot_offset.event_id < excluded.event_id"
        ),
        (bot_id, greatest),
    )


def pending(bot_id: str, after: int, limit: int) -> Work:
    """What is not handled, by event id."""
    rows = yield (
        (
            "SELECT event_id, raw, attempts FROM spikard_bot_inbox WHERE bot_id = ? AND event_id > ? "
            "ORDER BY event_id LIMIT ?"
        ),
        (bot_id, after, limit),
    )
    return [JournalEntry(event_id, raw.encode(), attempts) for event_id, raw, attempts in rows]


def begin(bot_id: str, event_id: int, attempts: int) -> Work:
    """Notes an attempt; whether the entry is there."""
    rows = yield f"UPDATE spikard_bot_inbox SET attempts = ? {_ONE} RETURNING event_id", (attempts, bot_id, event_id)  # noqa: S608 - constants
    return bool(rows)


def finish(bot_id: str, event_id: int, writes: Sequence[Write]) -> Work:
    """Drops an entry and keeps records. Raises RecordConflictError where one has another version."""
    rows = yield f"DELETE FROM spikard_bot_inbox {_ONE} RETURNING event_id", (bot_id, event_id)  # noqa: S608 - constants
    if not rows:
        return Finish.GONE
    for key, record, expected in writes:
        kept = (record.state, record.data)
        is_written = yield from records.change(key, lambda _, kept=kept: kept, expected)  # type: ignore[misc]
        if not is_written:
            raise RecordConflictError
    return Finish.DONE


def bury(bot_id: str, event_id: int, error: str) -> Work:
    """Makes an entry a dead letter."""
    rows = yield f"DELETE FROM spikard_bot_inbox {_ONE} RETURNING raw, attempts", (bot_id, event_id)  # noqa: S608 - constants
    for raw, attempts in rows:
        yield (
            (
                "INSERT INTO spikard_bot_dead (bot_id, event_id, raw, attempts, error, died_at) "
                "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (bot_id, event_id) DO UPDATE "
                "SET attempts = excluded.attempts, error = excluded.error, "
                "died_at = excluded.died_at"
            ),
            (bot_id, event_id, raw, attempts, error, now()),
        )


def dead(bot_id: str) -> Work:
    """The dead letters of a bot."""
    rows = yield (
        "SELECT event_id, raw, attempts, error, died_at FROM spikard_bot_dead WHERE bot_id = ? ORDER BY event_id",
        (bot_id,),
    )
    return [DeadLetter(event_id, raw.encode(), *rest) for event_id, raw, *rest in rows]


def forget(bot_id: str, event_id: int) -> Work:
    """Drops a dead letter; its text if it was there."""
    rows = yield f"DELETE FROM spikard_bot_dead {_ONE} RETURNING raw", (bot_id, event_id)  # noqa: S608 - constants
    return rows[0][0] if rows else None


def revive(bot_id: str, event_id: int) -> Work:
    """Puts a dead letter back into the journal; whether it was there."""
    raw = yield from forget(bot_id, event_id)
    if raw is None:
        return False
    yield (
        (
            "INSERT INTO spikard_bot_inbox (bot_id, event_id, raw) VALUES (?, ?, ?) "
            "ON CONFLICT (bot_id, event_id) DO NOTHING"
        ),
        (bot_id, event_id, raw),
    )
    return True


def hold(bot_id: str, holder: str, seconds: float, instead_of: str | None) -> Work:
    """Takes or renews the lease; who has it."""
    rows = yield (
        (
            "INSERT INTO spikard_bot_offset (bot_id, event_id, holder, lease_until) VALUES (?, 0, ?, {later}) "
            "ON CONFLICT (bot_id) DO UPDATE SET holder = excluded.holder, lease_until = excluded.lease_until "
            "WHERE spikard_bot_offset.holder IS NULL OR spikard_bot_offset.holder IN (excluded.holder, ?) "
            "OR spikard_bot_offset.lease_until < {now} RETURNING holder"
        ),
        (bot_id, holder, seconds, instead_of or holder),
    )
    if not rows:
        rows = yield "SELECT holder FROM spikard_bot_offset WHERE bot_id = ?", (bot_id,)
    return rows[0][0] or holder


def release(bot_id: str, holder: str) -> Work:
    """Gives the lease back."""
    yield (
        "UPDATE spikard_bot_offset SET holder = NULL, lease_until = NULL WHERE bot_id = ? AND holder = ?",
        (bot_id, holder),
    )


__all__ = [
    "TABLES", "RecordConflictError", "begin", "bury", "dead", "finish", "forget", "hold", "last_id", "pending",
    "release", "revive", "take",
]  # fmt: skip
