"""Something that will be done later."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any
from uuid import uuid4


class TaskStatus(str, Enum):  # noqa: UP042 - existing code compares both the text and the look of the member
    """What has become of a task."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass
class ScheduledTask:
    """An event that will fire for an entity."""

    task_id: str
    entity_id: str
    event: str
    delay_ms: int
    status: TaskStatus = TaskStatus.PENDING
    scheduled_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    fires_at: datetime | None = field(default_factory=lambda: datetime.now(UTC))
    fired_at: datetime | None = None
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def is_pending(self) -> bool:
        """Whether it has yet to fire."""
        return self.status is TaskStatus.PENDING

    @property
    def remaining_ms(self) -> int:
        """Milliseconds until it fires; none when it does not wait."""
        if not self.is_pending or self.fires_at is None:
            return 0
        return max(0, int((self.fires_at - datetime.now(UTC)).total_seconds() * 1000))


def generate_task_id() -> str:
    """An id for a task."""
    return str(uuid4())
