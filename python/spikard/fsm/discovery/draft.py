"""What an inference reads and how it chooses, kept to be done again."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from spikard.fsm.discovery.observation import to_utc
from spikard.fsm.discovery.observation_source import ObservationSourceConfig
from spikard.fsm.observed_state_event import ObservedStateEvent

DEFAULT_DISCOVERY_INSTANCE_ID = "00000000-0000-4000-8000-000000000001"


@dataclass(frozen=True, slots=True)
class DiscoveryDraftFilter:
    """Which observations count. None lets all through, an empty list nothing."""

    channels: tuple[str, ...] | None = None
    entity_ids: tuple[str, ...] | None = None
    sources: tuple[str, ...] | None = None
    observed_after: datetime | None = None
    observed_before: datetime | None = None
    metadata_match: tuple[tuple[str, Any], ...] | None = None

    def is_empty(self) -> bool:
        """Whether everything counts."""
        return self == DiscoveryDraftFilter()

    def matches(self, event: ObservedStateEvent) -> bool:
        """Whether an observation counts."""
        lists = (
            (self.channels, event.machine_name),
            (self.entity_ids, event.entity_id),
            (self.sources, event.source),
        )
        if any(allowed is not None and value not in allowed for allowed, value in lists):
            return False
        if self.observed_after is not None and event.observed_at < to_utc(self.observed_after):
            return False
        if self.observed_before is not None and event.observed_at > to_utc(self.observed_before):
            return False
        return self.matches_metadata(event.metadata)

    def matches_metadata(self, metadata: dict[str, Any]) -> bool:
        """Whether all wanted keys have the wanted values; a key that is missing has None."""
        return all(metadata.get(key) == value for key, value in self.metadata_match or ())


@dataclass(frozen=True, slots=True)
class DiscoveryDraft:
    """A named scope with its thresholds."""

    id: str
    instance_id: str
    machine_name: str
    title: str | None
    selected_entity_ids: tuple[str, ...]
    mode: str
    min_edge_count: int
    min_confidence: float
    manual_edge_selection: tuple[tuple[str, str], ...]
    created_at: datetime
    updated_at: datetime
    last_built_version: str | None = None
    filter: DiscoveryDraftFilter | None = None
    observation_source: ObservationSourceConfig | None = None

    def scope(self) -> DiscoveryDraftFilter:
        """The filter, which selected entities narrow where it leaves entities open."""
        scope = self.filter or DiscoveryDraftFilter()
        if self.selected_entity_ids and scope.entity_ids is None:
            return replace(scope, entity_ids=self.selected_entity_ids)
        return scope
