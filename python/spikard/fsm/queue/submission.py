"""Submitting events from programs."""

from datetime import datetime
from typing import Any

from spikard.fsm.queue.database import DatabaseEventSource
from spikard.fsm.queue.event import WorkerEvent
from spikard.fsm.worker.config import application_database


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
