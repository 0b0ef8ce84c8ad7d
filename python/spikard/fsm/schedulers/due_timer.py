"""A timer whose time has come."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from spikard.fsm.transition_result import TransitionResult


@dataclass(frozen=True, slots=True)
class DueTimer:
    """What any process needs to know in order to fire a timer.

    `fence` is that of the claim in the entity's own database, None where the timer was claimed elsewhere. Without a key
    the timer is known to its scheduler only.
    """

    task_id: str
    machine: str | None
    entity_id: str
    trigger: str
    timer_key: str | None = None
    fires_at: datetime | None = None
    entered_at: datetime | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)
    attempt: int = 1
    fence: int | None = None
    delay_ms: int = 0
    metadata: Mapping[str, Any] = field(default_factory=dict)


class TimerTarget(Protocol):
    """Brings the event of a timer to its entity: a runtime, or the orchestrator of one machine."""

    def fire(self, timer: DueTimer) -> TransitionResult | None:
        """The result; None where the timer is of no concern any more."""
        ...

    async def afire(self, timer: DueTimer) -> TransitionResult | None:
        """`fire`, awaited."""
        ...
