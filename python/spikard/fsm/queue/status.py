"""What has become of submitted events."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any


class QueueEventState(str, Enum):  # noqa: UP042 - existing code compares both the text and the look of the member
    """Where an event stands, for those who have submitted it."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    DEAD_LETTER = "dead_letter"


@dataclass(frozen=True)
class QueueEventStatus:
    """One event: where it stands, how often it was tried, what came of it."""

    event_id: str
    state: QueueEventState
    machine: str
    entity_id: str
    attempts: int
    max_attempts: int
    error_message: str | None = None
    result: dict[str, Any] | None = None
    created_at: datetime | None = None
    completed_at: datetime | None = None
    transition_history_id: str | None = None


@dataclass(frozen=True)
class QueueEventsPage:
    """Some of the events that fit, and how many do."""

    items: list[QueueEventStatus]
    total: int
    limit: int
    offset: int


@dataclass(frozen=True)
class QueueSummary:
    """How many events stand where."""

    queued: int = 0
    claimed: int = 0
    succeeded: int = 0
    failed: int = 0
    dead_letter: int = 0
    total: int = 0
