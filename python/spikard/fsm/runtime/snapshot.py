"""What runtimes answer."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True)
class EntitySnapshot:
    """An entity as it is kept."""

    entity_id: str
    machine: str | None
    state: str
    context: dict[str, Any] = field(default_factory=dict)
    version: int | None = None
    is_terminal: bool | None = None
    workflow_status: str | None = None


@dataclass(frozen=True)
class MachineSummary:
    """A machine that is registered."""

    name: str
    version: str
    description: str | None = None
    strict_mode: bool = True
    registered_at: datetime | None = None


@dataclass(frozen=True)
class TransitionEvent:
    """A line of an entity's past; `cursor` asks for what came after it."""

    id: str
    entity_id: str
    source_state: str
    trigger: str
    success: bool
    occurred_at: datetime
    cursor: str
    machine_name: str | None = None
    target_state: str | None = None
    error_type: str | None = None
    error_message: str | None = None
    payload: dict[str, Any] | None = None
    actions_executed: list[str] | None = None
    duration_ms: int | None = None


@dataclass(frozen=True)
class TransitionsPage:
    """Some transitions; `next_cursor` asks for the page after it."""

    items: list[TransitionEvent] = field(default_factory=list)
    next_cursor: str | None = None


@dataclass(frozen=True)
class ControlAuditEvent:
    """Something that an operator has changed."""

    operation: str
    target_type: str
    target_id: str
    previous: dict[str, Any] | None = None
    current: dict[str, Any] | None = None
    reason: str | None = None
    actor: str | None = None
    correlation_id: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    occurred_at: datetime = field(default_factory=lambda: datetime.now(UTC))
