"""What is kept of an entity, and what one step changes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class EntityRow(NamedTuple):
    """An entity as it was read. Version 0 means that nothing is kept of it; the state may be missing even so."""

    entity_id: str
    state: str | None = None
    version: int = 0
    context: Mapping[str, Any] = _NOTHING
    history: Mapping[str, str] = _NOTHING
    fingerprint: str | None = None
    entered_at: datetime | None = None


class TransitionRow(NamedTuple):
    """A line of an entity's past."""

    source_state: str
    target_state: str | None
    trigger: str
    success: bool = True
    error_type: str | None = None
    error_message: str | None = None
    actions_executed: tuple[str, ...] = ()
    event_id: str | None = None
    duration_ms: float | None = None
    transition_id: str = ""


class OutboxRow(NamedTuple):
    """An action that is to be done once the step is kept."""

    outbox_id: str
    transition_id: str
    ordinal: int
    action: Any


class TimerRow(NamedTuple):
    """An event that is to fire for an entity as long as it is in a state; the key begins with its name and `#`."""

    timer_key: str
    trigger: str
    fires_at: datetime


@dataclass(slots=True)
class EntityChange:
    """Everything one step changes, kept as a whole or not at all.

    Without `expected_version` whoever writes last wins. `patch` and `removed` change single keys of the context,
    `context` replaces it. `cancel_timers` names the states that are left.
    """

    entity_id: str
    expected_version: int | None = None
    state: str | None = None
    context: dict[str, Any] | None = None
    patch: Mapping[str, Any] | None = None
    removed: tuple[str, ...] = ()
    history: Mapping[str, str] | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    fingerprint: str | None = None
    entered_at: datetime | None = None
    cancel_timers: tuple[str, ...] = ()
    arm_timers: tuple[TimerRow, ...] = ()
    transitions: tuple[TransitionRow, ...] = ()
    outbox: tuple[OutboxRow, ...] = ()
    settled: Mapping[str, str] = field(default_factory=dict)
