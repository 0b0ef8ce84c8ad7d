"""One way to a destination."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class DestinationCandidate:
    """A transition that could lead to the destination, and whether it would now."""

    trigger: str
    dest: str
    executable: bool
    transition_result: Any = None
    reason: str | None = None
