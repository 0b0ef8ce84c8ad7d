"""One thing that could not be done, and answers about many."""

import dataclasses
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

# Of letters about actions; those about events name the queue's own.
OUTBOX_DLQ_STAGE = "outbox"


class DLQStatus(StrEnum):
    """What has become of a dead letter."""

    PENDING = "pending"
    RETRYING = "retrying"
    RESOLVED = "resolved"
    IGNORED = "ignored"
    EXPIRED = "expired"


class DLQReason(StrEnum):
    """Why workers give up."""

    GUARD_REJECTED = "guard_rejected"
    GUARD_EXECUTION_ERROR = "guard_execution_error"
    INVALID_TRANSITION = "invalid_transition"
    TERMINAL_STATE = "terminal_state"
    ACTION_FAILED = "action_failed"
    UNKNOWN_MACHINE = "unknown_machine"
    ENTITY_NOT_FOUND = "entity_not_found"
    MAX_RETRIES_EXHAUSTED = "max_retries_exhausted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class DeadLetterRecord:
    """Something that could not be done: what, where, why and how often it was tried."""

    record_id: str = field(default_factory=lambda: os.urandom(8).hex())
    source_name: str = ""
    reason: str = "unknown"
    error_message: str = ""
    error_type: str = ""
    stage: str = ""
    payload: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    attempt: int = 1
    max_attempts: int = 5
    status: DLQStatus = DLQStatus.PENDING
    retry_count: int = 0
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    updated_at: datetime | None = None
    expires_at: datetime | None = None

    def to_dict(self) -> dict[str, Any]:
        """The record as plain data."""
        document = dataclasses.asdict(self)
        document["status"] = self.status.value
        for key in ("created_at", "updated_at", "expires_at"):
            document[key] = document[key].isoformat() if document[key] else None
        return document

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> "DeadLetterRecord":
        """The record that `to_dict` has described."""
        values = {**document, "status": DLQStatus(document.get("status", "pending"))}
        for key in ("created_at", "updated_at", "expires_at"):
            if isinstance(values.get(key), str):
                values[key] = datetime.fromisoformat(values[key])
        return cls(**values)


@dataclass(frozen=True, slots=True)
class QueryResult:
    """A page of records; `next_cursor` asks for the one after it."""

    records: list[DeadLetterRecord] = field(default_factory=list)
    total: int = 0
    has_more: bool = False
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class DLQStatistics:
    """How many records there are, and of which kinds."""

    total: int = 0
    by_reason: dict[str, int] = field(default_factory=dict)
    by_status: dict[str, int] = field(default_factory=dict)
    by_stage: dict[str, int] = field(default_factory=dict)
