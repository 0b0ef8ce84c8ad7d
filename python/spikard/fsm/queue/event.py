"""Events on their way to workers."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any


def in_utc(moment: datetime) -> datetime:
    """A moment in UTC; one without a time zone is in it."""
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


class EventStatus(str, Enum):  # noqa: UP042 - existing code compares both the text and the look of the member
    """Where an event stands, as tables keep it."""

    PENDING = "pending"
    CLAIMED = "claimed"
    COMPLETED = "completed"
    FAILED = "failed"
    DEAD_LETTER = "dead_letter"


@dataclass(frozen=True)
class WorkerEvent:
    """An event for an entity, to be submitted."""

    machine_name: str
    entity_id: str
    trigger: str
    context: dict[str, Any] | None = None
    fires_at: datetime | None = None
    idempotency_key: str | None = None
    max_attempts: int = 5


@dataclass(frozen=True)
class WorkerApplyDataEvent:
    """Data for an entity's context, to be submitted."""

    machine_name: str
    entity_id: str
    data: dict[str, Any] | None = None
    fires_at: datetime | None = None
    idempotency_key: str | None = None
    max_attempts: int = 5


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class ClaimedEvent:
    """An event that a worker holds. `fence` grows with every claim: whoever has an older one has lost the event."""

    event_id: str
    machine_name: str
    entity_id: str
    trigger: str
    context: dict[str, Any]
    attempt: int
    max_attempts: int
    fires_at: datetime = field(default_factory=_now)
    claimed_at: datetime = field(default_factory=_now)
    fence: int = 0


@dataclass
class ClaimedApplyDataEvent:
    """Data that a worker holds; `fence` as with events."""

    event_id: str
    machine_name: str
    entity_id: str
    data: dict[str, Any]
    attempt: int
    max_attempts: int
    fires_at: datetime = field(default_factory=_now)
    claimed_at: datetime = field(default_factory=_now)
    fence: int = 0
