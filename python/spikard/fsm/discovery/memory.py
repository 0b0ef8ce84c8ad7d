"""Discoveries in this process."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from spikard.fsm.discovery.candidate import BuiltByDraftAggregate, BuiltDiscoveryCandidate
from spikard.fsm.discovery.draft import DiscoveryDraft, DiscoveryDraftFilter
from spikard.fsm.discovery.observation import (
    ObservationIdentity,
    normalized,
    observation_identity_from_event,
    to_utc,
)
from spikard.fsm.discovery.observation_reader import ObservationReader
from spikard.fsm.discovery.protocol import RECENT_DIFFS
from spikard.fsm.discovery.shadow import ShadowDiff
from spikard.fsm.discovery.summary import built_by_draft, fleet_summary
from spikard.fsm.observed_state_event import ObservedStateEvent


class InMemoryDiscoveryStore(ObservationReader):
    """Keeps observations, candidates, comparisons and drafts for as long as it lives. Any thread may call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._observations: dict[str, dict[ObservationIdentity, ObservedStateEvent]] = {}
        self._candidates: dict[str, dict[str, BuiltDiscoveryCandidate]] = {}
        self._diffs: dict[str, list[ShadowDiff]] = {}
        self._drafts: dict[str, DiscoveryDraft] = {}

    # Observations

    def add_observation(self, event: ObservedStateEvent) -> bool:
        """Keep an observation; False where it was kept before."""
        kept = normalized(event)
        with self._lock:
            known = self._observations.setdefault(kept.machine_name, {})
            return known.setdefault(observation_identity_from_event(kept), kept) is kept

    def delete_observations_for_entity(self, machine_name: str, entity_id: str) -> int:
        """Forget an entity; the number of its observations."""
        with self._lock:
            known = self._observations.get(machine_name, {})
            gone = [identity for identity in known if identity.entity_id == entity_id]
            for identity in gone:
                del known[identity]
            return len(gone)

    def delete_observation(self, machine_name: str, identity: ObservationIdentity) -> bool:
        """Forget one observation; False where there is none such."""
        wanted = replace(identity, observed_at=to_utc(identity.observed_at))
        with self._lock:
            return self._observations.get(machine_name, {}).pop(wanted, None) is not None

    def list_all_channels(self) -> list[str]:
        """Machines that were seen."""
        return sorted({event.machine_name for event in self._all()})

    def list_all_sources(self) -> list[str]:
        """Who saw anything."""
        return sorted({event.source for event in self._all()})

    def _seen(self, machine: str, entity_id: str | None) -> list[ObservedStateEvent]:
        with self._lock:
            known = list(self._observations.get(machine, {}).values())
        return known if entity_id is None else [event for event in known if event.entity_id == entity_id]

    def _matching(self, scope: DiscoveryDraftFilter) -> list[ObservedStateEvent]:
        return [event for event in self._all() if scope.matches(event)]

    def _all(self) -> list[ObservedStateEvent]:
        with self._lock:
            return [event for known in self._observations.values() for event in known.values()]

    # Candidates

    def save_built_candidate(self, candidate: BuiltDiscoveryCandidate) -> BuiltDiscoveryCandidate:
        """Keep a candidate, in place of one with its name and version; the candidate with its number."""
        with self._lock:
            known = self._candidates.setdefault(candidate.machine_name, {})
            before = known.get(candidate.version)
            last = max((each.candidate_sequence for each in known.values()), default=0)
            number = last + 1 if before is None else before.candidate_sequence
            kept = known[candidate.version] = replace(candidate, candidate_sequence=number)
            return kept

    def get_built_candidate(self, machine_name: str, version: str) -> BuiltDiscoveryCandidate | None:
        """One candidate."""
        return self._candidates.get(machine_name, {}).get(version)

    def get_latest_built_candidate(self, machine_name: str) -> BuiltDiscoveryCandidate | None:
        """The candidate with the highest number."""
        return next(reversed(self.list_built_candidates(machine_name)), None)

    def list_built_candidates(self, machine_name: str) -> list[BuiltDiscoveryCandidate]:
        """Candidates in the order of their numbers."""
        with self._lock:
            known = list(self._candidates.get(machine_name, {}).values())
        return sorted(known, key=lambda candidate: candidate.candidate_sequence)

    def delete_built_candidate(self, machine_name: str, version: str) -> bool:
        """Forget a candidate; False where there is none such."""
        with self._lock:
            return self._candidates.get(machine_name, {}).pop(version, None) is not None

    def count_built_candidates_by_draft(self, draft_ids: list[str]) -> dict[str, BuiltByDraftAggregate]:
        """What was built of drafts; drafts that nothing was built of are left out."""
        with self._lock:
            built = [candidate for known in self._candidates.values() for candidate in known.values()]
        return built_by_draft(draft_ids, built)

    # Comparisons

    def record_shadow_diff(self, diff: ShadowDiff) -> None:
        """Keep a comparison."""
        with self._lock:
            self._diffs.setdefault(diff.machine_name, []).append(diff)

    def list_shadow_diffs(self, machine_name: str, limit: int = 100) -> list[ShadowDiff]:
        """The last comparisons, oldest first."""
        with self._lock:
            known = list(self._diffs.get(machine_name, ()))
        return known[max(0, len(known) - limit) :]

    # Drafts

    def save_draft(self, draft: DiscoveryDraft) -> DiscoveryDraft:
        """Keep a draft, in place of one with its id."""
        with self._lock:
            self._drafts[draft.id] = draft
        return draft

    def get_draft(self, draft_id: str) -> DiscoveryDraft | None:
        """One draft."""
        return self._drafts.get(draft_id)

    def list_all_drafts(self) -> list[DiscoveryDraft]:
        """All drafts, those changed last first."""
        with self._lock:
            return sorted(self._drafts.values(), key=lambda draft: draft.updated_at, reverse=True)

    def delete_draft(self, draft_id: str) -> bool:
        """Forget a draft; False where there is none such."""
        with self._lock:
            return self._drafts.pop(draft_id, None) is not None

    # All of it

    def list_fleet_summaries(self) -> list[dict[str, Any]]:
        """A row for each machine: what was seen and built of it, and how often the last comparisons differed."""
        with self._lock:
            names = sorted({*self._observations, *self._candidates, *self._diffs})
        return [
            fleet_summary(
                name,
                self.list_observations_page(name, limit=1),
                self.list_built_candidates(name),
                self.list_shadow_diffs(name, RECENT_DIFFS),
            )
            for name in names
        ]

    def as_dict(self) -> dict[str, Any]:
        """Observations, candidates and comparisons by machine."""
        with self._lock:
            return {
                "observations": _copied(self._observations, lambda known: list(known.values())),
                "built_candidates": _copied(self._candidates, lambda known: list(known.values())),
                "shadow": _copied(self._diffs, list),
            }


def _copied(tables: dict[str, Any], rows: Callable[[Any], list[Any]]) -> dict[str, list[Any]]:
    return {name: rows(table) for name, table in tables.items()}
