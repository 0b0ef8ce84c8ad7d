"""Whether a destination can be reached now."""

from dataclasses import dataclass, field
from typing import Any

from spikard.fsm.destination_candidate import DestinationCandidate


@dataclass(frozen=True, slots=True)
class DestinationCheckResult:
    """The transitions that lead from one state to another, and how many of them would pass."""

    allowed: bool
    source_state: str
    destination_state: str
    candidate_count: int
    passing_count: int
    candidates: tuple[DestinationCandidate, ...]
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def is_ambiguous(self) -> bool:
        """Whether more than one transition would pass."""
        return self.passing_count > 1
