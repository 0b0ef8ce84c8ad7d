"""Submitting events from programs."""

import sqlite3
from datetime import datetime
from typing import Any

from spikard.fsm.queue.database import DatabaseEventSource
from spikard.fsm.queue.event import WorkerEvent, in_utc
from spikard.fsm.queue.table import EVENTS
from spikard.fsm.settings import application_database
from spikard.fsm.stores.work import Work


async def submit_event(
    machine_name: str,
    entity_id: str,
    trigger: str,
    *,
    context: dict[str, Any] | None = None,
    fires_at: datetime | None = None,
    idempotency_key: str | None = None,
    max_attempts: int = 5,
    db_url: str | None = None,
) -> str:
    """Have a worker bring an event to an entity; the event's id.

    Connects for this one event. Who submits many keeps a `DatabaseEventSource`.
    """
    source = DatabaseEventSource(db_url or application_database())
    try:
        return await source.submit(
            WorkerEvent(machine_name, entity_id, trigger, context, fires_at, idempotency_key, max_attempts)
        )
    finally:
        await source.close()


def submit_event_sync(
    machine_name: str,
    entity_id: str,
    trigger: str,
    *,
    context: dict[str, Any] | None = None,
    fires_at: datetime | None = None,
    idempotency_key: str | None = None,
    max_attempts: int = 5,
    db_url: str | None = None,
) -> str:
    """`submit_event`, on this thread."""
    source = DatabaseEventSource(db_url or application_database())
    try:
        return source.submit_sync(
            WorkerEvent(machine_name, entity_id, trigger, context, fires_at, idempotency_key, max_attempts)
        )
    finally:
        source.close_sync()


async def submit_event_in(
    connection: Any,
    machine_name: str,
    entity_id: str,
    trigger: str,
    *,
    context: dict[str, Any] | None = None,
    fires_at: datetime | None = None,
    idempotency_key: str | None = None,
    max_attempts: int = 5,
) -> str:
    """Submit an event in the transaction of a connection: it is there once that is committed, or not at all.

    `connection` is one of asyncpg or of sqlite3, to the database that workers look into. TypeError for any other.
    """
    work = _submission(
        connection,
        WorkerEvent(machine_name, entity_id, trigger, context, fires_at, idempotency_key, max_attempts),
    )
    if isinstance(connection, sqlite3.Connection):
        return _driven(connection, work)
    if not hasattr(connection, "fetch"):
        raise TypeError(f"connection must be one of asyncpg or sqlite3, not {type(connection).__name__}")
    from spikard.fsm.stores.postgres import follow

    event_id: str = await follow(connection, work)
    return event_id


def submit_event_in_sync(
    connection: sqlite3.Connection,
    machine_name: str,
    entity_id: str,
    trigger: str,
    *,
    context: dict[str, Any] | None = None,
    fires_at: datetime | None = None,
    idempotency_key: str | None = None,
    max_attempts: int = 5,
) -> str:
    """`submit_event_in`, on this thread."""
    if not isinstance(connection, sqlite3.Connection):
        raise TypeError(f"connection must be one of sqlite3, not {type(connection).__name__}; await submit_event_in")
    event = WorkerEvent(machine_name, entity_id, trigger, context, fires_at, idempotency_key, max_attempts)
    return _driven(connection, _submission(connection, event))


def _submission(connection: Any, event: WorkerEvent) -> Work:
    due = None if event.fires_at is None else in_utc(event.fires_at)
    is_text = due is not None and isinstance(connection, sqlite3.Connection)
    return EVENTS.submit(event, due.isoformat() if is_text and due is not None else due)


def _driven(connection: sqlite3.Connection, work: Work) -> str:
    from spikard.fsm.stores.sqlite import follow

    event_id: str = follow(connection, work)
    return event_id
