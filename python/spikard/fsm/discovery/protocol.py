"""What stores of discoveries can do."""

from typing import Protocol, runtime_checkable

from spikard.fsm.discovery.candidate import BuiltByDraftAggregate, BuiltDiscoveryCandidate
from spikard.fsm.discovery.draft import DiscoveryDraft, DiscoveryDraftFilter
from spikard.fsm.discovery.observation import ObservationIdentity
from spikard.fsm.discovery.observation_source import ObservationSourceConfig
from spikard.fsm.discovery.shadow import ShadowDiff
from spikard.fsm.observed_state_event import ObservedStateEvent

RESOLVE_LIMIT = 50_000
# How many comparisons the drift of a machine is taken from.
RECENT_DIFFS = 200


@runtime_checkable
class ObservationStore(Protocol):
    """Keeps what was seen."""

    def add_observation(self, event: ObservedStateEvent) -> bool:
        """Keep an observation; False where it was kept before."""
        ...

    def list_observations(self, machine_name: str, entity_id: str | None = None) -> list[ObservedStateEvent]:
        """Observations by entity, each entity's from the oldest on."""
        ...

    def list_observations_page(
        self, machine_name: str, *, limit: int = 50, offset: int = 0, entity_id: str | None = None
    ) -> tuple[list[ObservedStateEvent], int]:
        """Some of the observations, newest first, and how many there are."""
        ...

    def list_entity_ids(self, machine_name: str) -> list[str]:
        """Entities that were seen."""
        ...

    def delete_observations_for_entity(self, machine_name: str, entity_id: str) -> int:
        """Forget an entity; the number of its observations."""
        ...

    def delete_observation(self, machine_name: str, identity: ObservationIdentity) -> bool:
        """Forget one observation; False where there is none such."""
        ...

    def resolve_observations(
        self,
        filter: DiscoveryDraftFilter,  # noqa: A002 - the name that callers give
        *,
        observation_source: ObservationSourceConfig | None = None,
        limit: int = RESOLVE_LIMIT,
    ) -> tuple[list[ObservedStateEvent], bool]:
        """Observations that match, of all machines, and whether there are more."""
        ...

    def list_all_channels(self) -> list[str]:
        """Machines that were seen."""
        ...

    def list_all_sources(self) -> list[str]:
        """Who saw anything."""
        ...


@runtime_checkable
class BuiltDiscoveryCandidateStore(Protocol):
    """Keeps what was built."""

    def save_built_candidate(self, candidate: BuiltDiscoveryCandidate) -> BuiltDiscoveryCandidate:
        """Keep a candidate, in place of one with its name and version; the candidate with its number."""
        ...

    def get_built_candidate(self, machine_name: str, version: str) -> BuiltDiscoveryCandidate | None:
        """One candidate."""
        ...

    def get_latest_built_candidate(self, machine_name: str) -> BuiltDiscoveryCandidate | None:
        """The candidate with the highest number."""
        ...

    def list_built_candidates(self, machine_name: str) -> list[BuiltDiscoveryCandidate]:
        """Candidates in the order of their numbers."""
        ...

    def delete_built_candidate(self, machine_name: str, version: str) -> bool:
        """Forget a candidate; False where there is none such."""
        ...

    def count_built_candidates_by_draft(self, draft_ids: list[str]) -> dict[str, BuiltByDraftAggregate]:
        """What was built of drafts; drafts that nothing was built of are left out."""
        ...


@runtime_checkable
class ShadowResultStore(Protocol):
    """Keeps comparisons."""

    def record_shadow_diff(self, diff: ShadowDiff) -> None:
        """Keep a comparison."""
        ...

    def list_shadow_diffs(self, machine_name: str, limit: int = 100) -> list[ShadowDiff]:
        """The last comparisons, oldest first."""
        ...


@runtime_checkable
class DraftStore(Protocol):
    """Keeps drafts."""

    def save_draft(self, draft: DiscoveryDraft) -> DiscoveryDraft:
        """Keep a draft, in place of one with its id."""
        ...

    def get_draft(self, draft_id: str) -> DiscoveryDraft | None:
        """One draft."""
        ...

    def list_all_drafts(self) -> list[DiscoveryDraft]:
        """All drafts, those changed last first."""
        ...

    def delete_draft(self, draft_id: str) -> bool:
        """Forget a draft; False where there is none such."""
        ...
