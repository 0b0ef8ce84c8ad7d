"""Machines as a catalogue keeps them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from spikard.fsm.compatibility import MachineChange


@dataclass(frozen=True, slots=True)
class MachineRecord:
    """A definition that is kept; `revision` grows with every update."""

    id: str
    name: str
    version: str
    description: str | None
    strict_mode: bool
    config: dict[str, Any]
    revision: int
    created_at: datetime | None
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class MachineCompatibilityIssue:
    """An entity that cannot go on in another version of its machine."""

    entity_id: str
    current_state: str
    issue: str


@dataclass(frozen=True, slots=True)
class MachineCompatibilityReport:
    """Whether the entities that were looked at can go on in another version, and what differs between the two."""

    compatible: bool
    source_version: str
    target_version: str
    entities_checked: int
    issues: list[MachineCompatibilityIssue]
    level: str = "patch"
    changes: list[MachineChange] = field(default_factory=list)
