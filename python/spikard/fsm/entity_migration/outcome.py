"""What has become of entities that were to go on in another version."""

from dataclasses import dataclass, field
from typing import Any, Literal

from spikard.fsm.errors import ErrorCode, FSMError

MIGRATE_TRIGGER = "__migrate"


class MigrationRefusedError(FSMError):
    """An entity cannot go on in another version; the message says why and what to write for it."""

    def __init__(self, entity_id: str, state: str | None, from_version: str | None, to_version: str, why: str) -> None:
        super().__init__(
            f"Entity '{entity_id}' cannot go on from version {from_version or 'unknown'} to {to_version}: {why}",
            code=ErrorCode.INVALID_STATE,
        )
        self.entity_id = entity_id
        self.state = state
        self.from_version = from_version
        self.to_version = to_version
        self.reason = why


@dataclass(frozen=True, slots=True)
class MigrationOutcome:
    """One entity: `migrated`, `planned` (a dry run), `current` (it was there already) or `refused`, with the reason.

    States are as stores keep them. `context_changes` holds new values by key, `context_removed` keys that are gone,
    `timers_stopped` the keys of timers that have no counterpart, `history_dropped` compound states that are forgotten.
    """

    entity_id: str
    status: Literal["migrated", "planned", "current", "refused"]
    from_version: str | None
    to_version: str
    source_state: str | None = None
    target_state: str | None = None
    context_changes: dict[str, Any] = field(default_factory=dict)
    context_removed: tuple[str, ...] = ()
    timers_stopped: tuple[str, ...] = ()
    timers_armed: tuple[str, ...] = ()
    history_dropped: tuple[str, ...] = ()
    reason: str | None = None


@dataclass(slots=True)
class MigrationReport:
    """Many entities: how many of each outcome, and those that were refused, `refusals_kept` of them at most.

    `last_entity_id` is where another run goes on with `after`.
    """

    to_version: str
    migrated: int = 0
    planned: int = 0
    current: int = 0
    refused: int = 0
    refusals: list[MigrationOutcome] = field(default_factory=list)
    last_entity_id: str = ""
    refusals_kept: int = 1000

    @property
    def total(self) -> int:
        """How many entities were looked at."""
        return self.migrated + self.planned + self.current + self.refused

    def add(self, outcome: MigrationOutcome) -> None:
        """Count one more."""
        setattr(self, outcome.status, getattr(self, outcome.status) + 1)
        if outcome.status == "refused" and len(self.refusals) < self.refusals_kept:
            self.refusals.append(outcome)
