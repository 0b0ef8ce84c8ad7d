"""Something that will be done later."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
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
    fires_at: datetime | None = None
    fired_at: datetime | None = None
    metadata: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.fires_at is None:
            self.fires_at = self.scheduled_at + timedelta(milliseconds=self.delay_ms)

    @property
    def is_pending(self) -> bool:
        """Whether it has yet to fire."""
        return self.status is TaskStatus.PENDING

    @property
    def remaining_ms(self) -> int:
        """Milliseconds until its moment, 0 once that is past, whatever has become of it."""
        if self.fires_at is None:
            return 0
        return max(0, int((self.fires_at - datetime.now(UTC)).total_seconds() * 1000))


def generate_task_id() -> str:
    """An id for a task."""
    return str(uuid4())
