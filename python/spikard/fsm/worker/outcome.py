"""What becomes of an event."""

from dataclasses import dataclass
from typing import Any

from spikard.fsm.dead_letters.record import DeadLetterRecord, DLQReason
from spikard.fsm.errors import ErrorCode, FSMError
from spikard.fsm.queue.event import ClaimedApplyDataEvent, ClaimedEvent
from spikard.fsm.worker.timers import ClaimedTimer

WORKER_DLQ_STAGE = "worker"
APPLY_DATA_WORKER_DLQ_STAGE = "worker_apply_data"

Claimed = ClaimedEvent | ClaimedApplyDataEvent | ClaimedTimer

_REASONS = {
    ErrorCode.GUARD_REJECTED: DLQReason.GUARD_REJECTED,
    ErrorCode.GUARD_EXECUTION_ERROR: DLQReason.GUARD_EXECUTION_ERROR,
    ErrorCode.GUARD_NOT_FOUND: DLQReason.GUARD_EXECUTION_ERROR,
    ErrorCode.TERMINAL_STATE: DLQReason.TERMINAL_STATE,
    ErrorCode.ACTION_FAILED: DLQReason.ACTION_FAILED,
}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an event was not brought to its entity; `retry` where another attempt may do better."""

    reason: DLQReason
    message: str
    error_type: str
    retry: bool = False


def refused(error: FSMError | None) -> Failure:
    """The failure of an event that the machine refuses."""
    code = None if error is None else error.code
    reason = DLQReason.INVALID_TRANSITION if code is None else _REASONS.get(code, DLQReason.INVALID_TRANSITION)
    message = "the transition was refused" if error is None else str(error)
    return Failure(reason, message, type(error).__name__, code is ErrorCode.GUARD_EXECUTION_ERROR)


def raised(error: BaseException) -> Failure:
    """The failure of an event that ended in an exception."""
    if isinstance(error, FSMError) and error.code is ErrorCode.UNDEFINED_STATE:
        return Failure(DLQReason.INVALID_TRANSITION, str(error), type(error).__name__)
    reason = DLQReason.MAX_RETRIES_EXHAUSTED
    if isinstance(error, FSMError) and error.code is ErrorCode.GUARD_EXECUTION_ERROR:
        reason = DLQReason.GUARD_EXECUTION_ERROR
    return Failure(reason, str(error), type(error).__name__, retry=True)


def unknown_machine(name: str) -> Failure:
    """The failure of an event for a machine that there is not."""
    return Failure(DLQReason.UNKNOWN_MACHINE, f"Unknown machine: {name}", "KeyError")


def entity_not_found(entity_id: str) -> Failure:
    """The failure of data for an entity that there is not."""
    return Failure(DLQReason.ENTITY_NOT_FOUND, f"Entity not found: {entity_id}", "LookupError")


def dead_letter(event: Claimed, failure: Failure) -> DeadLetterRecord:
    """An event that was given up, for operators."""
    payload: dict[str, Any] = {"event_id": event.event_id, "entity_id": event.entity_id}
    if isinstance(event, ClaimedTimer):
        stage = WORKER_DLQ_STAGE
        body: dict[str, Any] = {"trigger": event.timer.trigger, "timer_key": event.timer.timer_key}
        body["context"] = dict(event.timer.payload)
    elif isinstance(event, ClaimedEvent):
        stage, body = WORKER_DLQ_STAGE, {"trigger": event.trigger, "context": event.context}
    else:
        stage, body = APPLY_DATA_WORKER_DLQ_STAGE, {"data": event.data}
    return DeadLetterRecord(
        source_name=event.machine_name, reason=failure.reason.value, error_message=failure.message,
        error_type=failure.error_type, stage=stage, payload={**payload, **body}, attempt=event.attempt,
        max_attempts=event.max_attempts,
    )  # fmt: skip
