"""Dead letters on their way back into the queue that they came from."""

from typing import Any

from spikard.fsm.dead_letters.errors import DLQError
from spikard.fsm.dead_letters.record import OUTBOX_DLQ_STAGE, DeadLetterRecord
from spikard.fsm.queue.database import DatabaseApplyDataEventSource, DatabaseEventSource
from spikard.fsm.queue.event import WorkerApplyDataEvent, WorkerEvent
from spikard.fsm.stores.factory import unconnected_state_store
from spikard.fsm.worker.outcome import APPLY_DATA_WORKER_DLQ_STAGE, WORKER_DLQ_STAGE


def submit_again(record: DeadLetterRecord, database_url: str) -> str:
    """Submit what a worker has given up; the id of the new event.

    The new event has the dead letter's id as its key: however often this is done, it is submitted once per attempt.
    """
    if record.stage == OUTBOX_DLQ_STAGE:
        return _revived(record, database_url)
    if record.stage not in (WORKER_DLQ_STAGE, APPLY_DATA_WORKER_DLQ_STAGE):
        raise DLQError(f"record {record.record_id} comes from stage {record.stage!r}, which has no queue")
    payload = record.payload
    key = f"redrive:{record.record_id}:{record.retry_count}"
    common: dict[str, Any] = {
        "machine_name": record.source_name, "entity_id": payload["entity_id"], "idempotency_key": key,
        "max_attempts": record.max_attempts,
    }  # fmt: skip
    source: DatabaseEventSource | DatabaseApplyDataEventSource
    if record.stage == WORKER_DLQ_STAGE:
        source = DatabaseEventSource(database_url)
        event: Any = WorkerEvent(**common, trigger=payload["trigger"], context=payload.get("context"))
    else:
        source = DatabaseApplyDataEventSource(database_url)
        event = WorkerApplyDataEvent(**common, data=payload.get("data"))
    try:
        return source.submit_sync(event)
    finally:
        source.close_sync()


def _revived(record: DeadLetterRecord, database_url: str) -> str:
    outbox_id = str(record.payload["outbox_id"])
    store = unconnected_state_store(database_url)
    store.connect()
    with store:
        if not store.revive_outbox(outbox_id):
            raise DLQError(f"record {record.record_id}: action {outbox_id} does not wait to be tried again")
    return outbox_id
