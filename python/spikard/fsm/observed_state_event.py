"""States of entities as somebody saw them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class ObservedStateEvent:
    """An entity was seen in a state; `ingest_seq` orders what was seen at the same moment."""

    entity_id: str
    machine_name: str
    state: str
    observed_at: datetime
    source: str = "unknown"
    source_event_id: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    ingested_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    ingest_seq: int = 0

    def __post_init__(self) -> None:
        for name in ("entity_id", "machine_name", "state", "source"):
            if not getattr(self, name):
                raise ValueError(f"{name} cannot be empty")
