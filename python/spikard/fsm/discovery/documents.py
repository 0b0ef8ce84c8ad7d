"""Discoveries as documents, for databases that know tables of rows by a machine and a key."""

from abc import abstractmethod
from dataclasses import replace
from typing import Any, Self, TypeVar

import msgspec

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

Document = TypeVar("Document")

_SEEN, _BUILT, _DIFFS, _DRAFTS = "observations", "candidates", "shadow_diffs", "drafts"
# What no part of an observation's identity has inside.
_APART = "\x1f"


class DocumentDiscoveryStore(ObservationReader):
    """Keeps observations, candidates, comparisons and drafts, each as a document in JSON. Any thread may call."""

    @abstractmethod
    def connect(self) -> None:
        """Open the connection pool."""

    @abstractmethod
    def disconnect(self) -> None:
        """Close all connections."""

    @abstractmethod
    def _insert(self, table: str, machine: str, key: str, text: str) -> bool:
        """Keep a document unless there is one; whether it was kept."""

    @abstractmethod
    def _put(self, table: str, machine: str, key: str, text: str) -> None:
        """Keep a document in place of any other."""

    @abstractmethod
    def _get(self, table: str, machine: str, key: str) -> str | None:
        """A document."""

    @abstractmethod
    def _remove(self, table: str, machine: str, keys: list[str]) -> int:
        """Forget documents; how many there were."""

    @abstractmethod
    def _rows(self, table: str, machine: str) -> dict[str, str]:
        """The documents of a machine by their keys."""

    @abstractmethod
    def _machines(self, table: str) -> list[str]:
        """The machines that have documents."""

    @abstractmethod
    def _next(self, name: str) -> int:
        """A number that nobody else gets, greater than those before."""

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(self, *_: object) -> None:
        self.disconnect()

    # Observations

    def add_observation(self, event: ObservedStateEvent) -> bool:
        """Keep an observation; False where it was kept before."""
        kept = normalized(event)
        return self._insert(_SEEN, kept.machine_name, _key(observation_identity_from_event(kept)), _text(kept))

    def delete_observations_for_entity(self, machine_name: str, entity_id: str) -> int:
        """Forget an entity; the number of its observations."""
        gone = [key for key in self._rows(_SEEN, machine_name) if key.partition(_APART)[0] == entity_id]
        return self._remove(_SEEN, machine_name, gone)

    def delete_observation(self, machine_name: str, identity: ObservationIdentity) -> bool:
        """Forget one observation; False where there is none such."""
        wanted = replace(identity, observed_at=to_utc(identity.observed_at))
        return bool(self._remove(_SEEN, machine_name, [_key(wanted)]))

    def list_all_channels(self) -> list[str]:
        """Machines that were seen."""
        return sorted(name for name in self._machines(_SEEN) if self._rows(_SEEN, name))

    def list_all_sources(self) -> list[str]:
        """Who saw anything."""
        return sorted({event.source for event in self._matching(DiscoveryDraftFilter())})

    def _seen(self, machine: str, entity_id: str | None) -> list[ObservedStateEvent]:
        rows = self._rows(_SEEN, machine)
        texts = [text for key, text in rows.items() if entity_id is None or key.partition(_APART)[0] == entity_id]
        return [_read(text, ObservedStateEvent) for text in texts]

    def _matching(self, scope: DiscoveryDraftFilter) -> list[ObservedStateEvent]:
        names = self._machines(_SEEN) if scope.channels is None else scope.channels
        return [event for name in names for event in self._seen(name, None) if scope.matches(event)]

    # Candidates

    def save_built_candidate(self, candidate: BuiltDiscoveryCandidate) -> BuiltDiscoveryCandidate:
        """Keep a candidate, in place of one with its name and version; the candidate with its number."""
        machine = candidate.machine_name
        before = self.get_built_candidate(machine, candidate.version)
        number = self._next(f"{_BUILT}:{machine}") if before is None else before.candidate_sequence
        kept = replace(candidate, candidate_sequence=number)
        self._put(_BUILT, machine, candidate.version, _text(kept))
        return kept

    def get_built_candidate(self, machine_name: str, version: str) -> BuiltDiscoveryCandidate | None:
        """One candidate."""
        text = self._get(_BUILT, machine_name, version)
        return None if text is None else _read(text, BuiltDiscoveryCandidate)

    def get_latest_built_candidate(self, machine_name: str) -> BuiltDiscoveryCandidate | None:
        """The candidate with the highest number."""
        return next(reversed(self.list_built_candidates(machine_name)), None)

    def list_built_candidates(self, machine_name: str) -> list[BuiltDiscoveryCandidate]:
        """Candidates in the order of their numbers."""
        known = [_read(text, BuiltDiscoveryCandidate) for text in self._rows(_BUILT, machine_name).values()]
        return sorted(known, key=lambda candidate: candidate.candidate_sequence)

    def delete_built_candidate(self, machine_name: str, version: str) -> bool:
        """Forget a candidate; False where there is none such."""
        return bool(self._remove(_BUILT, machine_name, [version]))

    def count_built_candidates_by_draft(self, draft_ids: list[str]) -> dict[str, BuiltByDraftAggregate]:
        """What was built of drafts; drafts that nothing was built of are left out."""
        built = [one for machine in self._machines(_BUILT) for one in self.list_built_candidates(machine)]
        return built_by_draft(draft_ids, built)

    # Comparisons

    def record_shadow_diff(self, diff: ShadowDiff) -> None:
        """Keep a comparison."""
        number = self._next(f"{_DIFFS}:{diff.machine_name}")
        self._put(_DIFFS, diff.machine_name, f"{number:020}", _text(diff))

    def list_shadow_diffs(self, machine_name: str, limit: int = 100) -> list[ShadowDiff]:
        """The last comparisons, oldest first."""
        rows = sorted(self._rows(_DIFFS, machine_name).items())
        return [_read(text, ShadowDiff) for _, text in rows[max(0, len(rows) - limit) :]]

    # Drafts

    def save_draft(self, draft: DiscoveryDraft) -> DiscoveryDraft:
        """Keep a draft, in place of one with its id."""
        self._put(_DRAFTS, "", draft.id, _text(draft))
        return draft

    def get_draft(self, draft_id: str) -> DiscoveryDraft | None:
        """One draft."""
        text = self._get(_DRAFTS, "", draft_id)
        return None if text is None else _read(text, DiscoveryDraft)

    def list_all_drafts(self) -> list[DiscoveryDraft]:
        """All drafts, those changed last first."""
        known = [_read(text, DiscoveryDraft) for text in self._rows(_DRAFTS, "").values()]
        return sorted(known, key=lambda draft: draft.updated_at, reverse=True)

    def delete_draft(self, draft_id: str) -> bool:
        """Forget a draft; False where there is none such."""
        return bool(self._remove(_DRAFTS, "", [draft_id]))

    # All of it

    def list_fleet_summaries(self) -> list[dict[str, Any]]:
        """A row for each machine: what was seen and built of it, and how often the last comparisons differed."""
        rows = []
        for name in sorted({*self._machines(_SEEN), *self._machines(_BUILT), *self._machines(_DIFFS)}):
            seen = self.list_observations_page(name, limit=1)
            built, diffs = self.list_built_candidates(name), self.list_shadow_diffs(name, RECENT_DIFFS)
            if seen[1] or built or diffs:
                rows.append(fleet_summary(name, seen, built, diffs))
        return rows


def _key(identity: ObservationIdentity) -> str:
    moment = identity.observed_at.isoformat()
    return _APART.join((identity.entity_id, identity.state, moment, identity.source, identity.source_event_id or ""))


def _text(document: Any) -> str:
    return msgspec.json.encode(document, enc_hook=str).decode()


def _read(text: str, kind: type[Document]) -> Document:
    return msgspec.json.decode(text, type=kind)
