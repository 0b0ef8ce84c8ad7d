"""Machines out of observations."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, Self
from uuid import uuid4

from spikard.fsm.discovery.candidate import (
    BuiltDiscoveryCandidate,
    build_machine_config,
    candidate_to_dot,
    candidate_to_mermaid,
    next_version,
)
from spikard.fsm.discovery.draft import DEFAULT_DISCOVERY_INSTANCE_ID, DiscoveryDraft, DiscoveryDraftFilter
from spikard.fsm.discovery.draft_book import DraftBook
from spikard.fsm.discovery.edge import InferredEdge, edges_to_dict, infer_edges, trace_ends
from spikard.fsm.discovery.factory import create_discovery_store
from spikard.fsm.discovery.memory import InMemoryDiscoveryStore
from spikard.fsm.discovery.observation import ObservationIdentity, newest_first, position_beside
from spikard.fsm.discovery.observation_source import ObservationSourceConfig
from spikard.fsm.discovery.protocol import (
    BuiltDiscoveryCandidateStore,
    DraftStore,
    ObservationStore,
    ShadowResultStore,
)
from spikard.fsm.discovery.shadow import ShadowDiff, machine_of, outcome, shadow_diff
from spikard.fsm.observed_state_event import ObservedStateEvent
from spikard.fsm.settings import discovery_database, discovery_thresholds
from spikard.fsm.state_machine import StateMachine

Mode = Literal["inference", "manual"]
Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class InferenceThresholds:
    """How often a step must have been seen, and what share of the steps out of its source it must be."""

    min_edge_count: int = 2
    min_confidence: float = 0.5

    def overridden(self, min_edge_count: int | None, min_confidence: float | None) -> "InferenceThresholds":
        """With other values where they are given, within what makes sense."""
        count = self.min_edge_count if min_edge_count is None else max(1, int(min_edge_count))
        confidence = self.min_confidence if min_confidence is None else min(1.0, max(0.0, float(min_confidence)))
        return InferenceThresholds(count, confidence)

    def passed(self, edges: Iterable[InferredEdge]) -> list[InferredEdge]:
        """The steps that were seen often enough."""
        return [edge for edge in edges if edge.count >= self.min_edge_count and edge.confidence >= self.min_confidence]

    def as_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {"min_edge_count": self.min_edge_count, "min_confidence": self.min_confidence}


class InferenceEngine:
    """Takes observations in, builds candidates of them and compares those with machines in use."""

    def __init__(
        self,
        observation_store: ObservationStore,
        built_candidate_store: BuiltDiscoveryCandidateStore,
        shadow_store: ShadowResultStore,
        thresholds: InferenceThresholds | None = None,
        *,
        draft_store: DraftStore | None = None,
    ) -> None:
        self._observations = observation_store
        self._candidates = built_candidate_store
        self._shadow = shadow_store
        self._thresholds = thresholds or InferenceThresholds()
        self._drafts = DraftBook(draft_store or InMemoryDiscoveryStore())

    @classmethod
    def for_connection(
        cls, backend: str, connection_string: str | None, *, thresholds: InferenceThresholds | None = None
    ) -> Self:
        """An engine whose stores are one database."""
        store = create_discovery_store(backend, connection_string=connection_string)
        if not isinstance(store, InMemoryDiscoveryStore):
            store.connect()
        return cls(store, store, store, thresholds, draft_store=store)

    @classmethod
    def from_app_config(cls, *, thresholds: InferenceThresholds | None = None, quiet: bool = False) -> Self:  # noqa: ARG003 - nothing is said anyway
        """An engine over the database of the settings, with their thresholds unless others are given."""
        url = discovery_database()
        scheme = url.partition("://")[0].partition("+")[0]
        backend = {"postgres": "postgresql", "rediss": "redis"}.get(scheme, scheme)
        return cls.for_connection(backend, url, thresholds=thresholds or InferenceThresholds(*discovery_thresholds()))

    def close(self) -> None:
        """Close the connections of its stores."""
        for store in (self._observations, self._candidates, self._shadow):
            disconnect = getattr(store, "disconnect", None)
            if disconnect is not None:
                disconnect()

    # Observations

    def record_observation(self, machine_name: str, event: ObservedStateEvent) -> bool:
        """Keep an observation of the machine; False where it was kept before."""
        _check_machine(machine_name, event)
        return self._observations.add_observation(event)

    def record_observations(self, machine_name: str, events: list[ObservedStateEvent]) -> int:
        """Keep observations, all or none; how many were new."""
        for event in events:
            _check_machine(machine_name, event)
        return sum(self._observations.add_observation(event) for event in events)

    def delete_observation(self, machine_name: str, identity: ObservationIdentity) -> bool:
        """Forget one observation; False where there is none such."""
        return self._observations.delete_observation(machine_name, identity)

    def insert_observation_relative(
        self,
        machine_name: str,
        *,
        entity_id: str,
        reference: ObservationIdentity,
        position: Literal["above", "below"],
        state: str,
        source: str = "api",
        source_event_id: str | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> bool:
        """Keep an observation right above or below another of the entity in the list with the newest first."""
        if reference.entity_id != entity_id:
            raise ValueError("reference.entity_id must match entity_id")
        seen = newest_first(self._observations.list_observations(machine_name, entity_id))
        observed_at, ingest_seq, ingested_at = position_beside(seen, reference, position)
        return self._observations.add_observation(
            ObservedStateEvent(
                entity_id,
                machine_name,
                state,
                observed_at,
                source,
                source_event_id or str(uuid4()),
                dict(metadata or {}),
                ingested_at,
                ingest_seq,
            )
        )

    # Candidates

    def preview_filter(
        self,
        filter: DiscoveryDraftFilter,  # noqa: A002 - the name that callers give
        *,
        mode: Mode = "inference",
        min_edge_count: int | None = None,
        min_confidence: float | None = None,
        observation_source: ObservationSourceConfig | None = None,
    ) -> dict[str, Any]:
        """What a candidate would be built of: all steps, and those that were seen often enough."""
        seen, truncated = self._observations.resolve_observations(filter, observation_source=observation_source)
        thresholds = self._thresholds.overridden(min_edge_count, min_confidence)
        edges = infer_edges(seen)
        channels = filter.channels or ()
        return {
            "machine_name": channels[0] if len(channels) == 1 else "<filter>",
            "mode": mode,
            "entity_ids_used": sorted({event.entity_id for event in seen}),
            "source_channels_used": sorted({event.machine_name for event in seen}),
            "observation_count": len(seen),
            "observation_limit_reached": truncated,
            "edges": edges,
            "selected_edges": thresholds.passed(edges),
            "thresholds": thresholds.as_dict(),
        }

    def build_candidate(
        self,
        machine_name: str,
        version: str | None = None,
        *,
        mode: Mode = "inference",
        entity_ids: list[str] | None = None,
        edge_selection: Pairs | None = None,
        min_edge_count: int | None = None,
        min_confidence: float | None = None,
        draft_id: str | None = None,
        filter: DiscoveryDraftFilter | None = None,  # noqa: A002 - the name that callers give
        target_machine_name: str | None = None,
        observation_source: ObservationSourceConfig | None = None,
    ) -> BuiltDiscoveryCandidate:
        """Build a machine of what was seen, and keep it.

        Without a filter everything counts, whatever machine it was seen of. `manual` takes the steps that are given, by
        the names that were seen; `inference` those that were seen often enough.
        """
        scope = filter or DiscoveryDraftFilter()
        if entity_ids is not None and scope.entity_ids is None:
            scope = replace(scope, entity_ids=tuple(entity_ids))
        seen, _ = self._observations.resolve_observations(scope, observation_source=observation_source)
        thresholds = self._thresholds.overridden(min_edge_count, min_confidence)
        edges = infer_edges(seen)
        pairs = edge_selection or []
        selected = _chosen(edges, pairs) if mode == "manual" else thresholds.passed(edges)
        name = target_machine_name or machine_name
        built_version = version or self._free_version(name)
        metadata: dict[str, Any] = {
            "edge_count": len(edges),
            "selected_edge_count": len(selected),
            "build_mode": mode,
            "build_scope": {
                "catalog_slug": machine_name,
                "entity_ids": sorted({event.entity_id for event in seen}),
                "source_channels_used": sorted({event.machine_name for event in seen}),
                "edge_selection": [
                    {"source_state": source, "destination_state": destination} for source, destination in pairs
                ],
            },
            "observation_count": len(seen),
            "thresholds": thresholds.as_dict(),
            "inferred_edges_snapshot": edges_to_dict(edges),
            "selected_edges_snapshot": edges_to_dict(selected),
        }
        if draft_id is not None:
            metadata["draft_id"] = draft_id
        config = build_machine_config(name, selected, trace_ends(seen), built_version)
        return self._candidates.save_built_candidate(
            BuiltDiscoveryCandidate(name, built_version, "candidate", config, metadata=metadata)
        )

    def get_latest_built_candidate(self, machine_name: str) -> BuiltDiscoveryCandidate | None:
        """The candidate that was built last."""
        return self._candidates.get_latest_built_candidate(machine_name)

    def list_built_candidates(self, machine_name: str) -> list[BuiltDiscoveryCandidate]:
        """Candidates in the order in which they were built."""
        return self._candidates.list_built_candidates(machine_name)

    def get_built_candidate(self, machine_name: str, version: str) -> BuiltDiscoveryCandidate | None:
        """One candidate."""
        return self._candidates.get_built_candidate(machine_name, version)

    def delete_built_candidate(self, machine_name: str, version: str) -> bool:
        """Forget a candidate; False where there is none such."""
        return self._candidates.delete_built_candidate(machine_name, version)

    def export_candidate_diagram(
        self,
        machine_name: str,
        version: str | None = None,
        format: Literal["mermaid", "dot"] = "mermaid",  # noqa: A002 - the name that callers give
        **options: Any,
    ) -> str:
        """A candidate, the latest where no version is given, as a diagram."""
        candidate = self._candidate(machine_name, version)
        if candidate is None:
            raise ValueError(f"No candidate found for {machine_name!r}")
        draw = candidate_to_mermaid if format == "mermaid" else candidate_to_dot
        return draw(candidate, **options)

    # Drafts

    def create_draft(
        self,
        title: str,
        *,
        instance_id: str | None = None,
        filter: DiscoveryDraftFilter | None = None,  # noqa: A002 - the name that callers give
        min_edge_count: int | None = None,
        min_confidence: float | None = None,
        observation_source: ObservationSourceConfig | None = None,
    ) -> DiscoveryDraft:
        """Keep a scope under a title that nothing else of the instance has."""
        thresholds = self._thresholds.overridden(min_edge_count, min_confidence)
        return self._drafts.create(
            title,
            instance_id or DEFAULT_DISCOVERY_INSTANCE_ID,
            filter=filter,
            min_edge_count=thresholds.min_edge_count,
            min_confidence=thresholds.min_confidence,
            observation_source=observation_source,
        )

    def get_draft(self, draft_id: str) -> DiscoveryDraft | None:
        """One draft."""
        return self._drafts.store.get_draft(draft_id)

    def list_all_drafts(self) -> list[DiscoveryDraft]:
        """All drafts, those changed last first."""
        return self._drafts.store.list_all_drafts()

    def delete_draft(self, draft_id: str) -> bool:
        """Forget a draft; False where there is none such."""
        return self._drafts.store.delete_draft(draft_id)

    def update_draft(self, draft_id: str, **changes: Any) -> DiscoveryDraft:
        """Change what is given: `title`, `selected_entity_ids`, `mode`, `min_edge_count`, `min_confidence`,
        `manual_edge_selection`, `filter` or `clear_filter`, `new_observation_source` or `clear_observation_source`.
        """
        return self._drafts.update(draft_id, **changes)

    def preview_draft(self, draft_id: str) -> dict[str, Any]:
        """What a candidate of the draft would be built of."""
        draft = self._drafts.get(draft_id)
        return self.preview_filter(
            draft.scope(),
            mode="manual" if draft.mode == "manual" else "inference",
            min_edge_count=draft.min_edge_count,
            min_confidence=draft.min_confidence,
            observation_source=draft.observation_source,
        )

    def build_from_draft(self, draft_id: str, *, target_machine_name: str | None = None) -> BuiltDiscoveryCandidate:
        """Build a candidate of the draft's scope, and remember its version in the draft."""
        draft = self._drafts.get(draft_id)
        if draft.mode == "manual" and not draft.manual_edge_selection:
            raise ValueError("manual mode requires manual_edge_selection on the draft")
        built = self.build_candidate(
            draft.machine_name,
            mode="manual" if draft.mode == "manual" else "inference",
            edge_selection=list(draft.manual_edge_selection),
            min_edge_count=draft.min_edge_count,
            min_confidence=draft.min_confidence,
            draft_id=draft.id,
            filter=draft.scope(),
            target_machine_name=target_machine_name,
            observation_source=draft.observation_source,
        )
        self._drafts.built(draft, built.version)
        return built

    # Comparisons

    def run_shadow_compare(
        self,
        *,
        machine_name: str,
        active_config: dict[str, Any],
        source_state: str,
        trigger: str,
        context: dict[str, Any] | None = None,
        candidate_version: str | None = None,
    ) -> ShadowDiff | None:
        """Ask the machine in use and a candidate about one event, and keep the answers; None without a candidate."""
        candidate = self._candidate(machine_name, candidate_version)
        if candidate is None:
            return None
        active = StateMachine.from_dict(active_config)
        active.get_state(source_state)
        diff = shadow_diff(
            machine_name,
            (source_state, trigger),
            outcome(active, source_state, trigger, context),
            outcome(machine_of(candidate.config), source_state, trigger, context),
            {"candidate_version": candidate.version},
        )
        self._shadow.record_shadow_diff(diff)
        return diff

    def compare_candidate_against_baseline(
        self,
        *,
        machine_name: str,
        baseline_config: dict[str, Any],
        baseline_machine_name: str,
        candidate_version: str | None = None,
    ) -> list[ShadowDiff]:
        """Ask another machine about every transition of a candidate. Nothing of it is kept."""
        candidate = self._candidate(machine_name, candidate_version)
        if candidate is None:
            return []
        baseline, built = StateMachine.from_dict(baseline_config), machine_of(candidate.config)
        metadata = {"candidate_version": candidate.version, "baseline_machine_name": baseline_machine_name}
        steps = dict.fromkeys((step["source"], step["trigger"]) for step in candidate.config["transitions"])
        return [
            shadow_diff(machine_name, step, outcome(baseline, *step, None), outcome(built, *step, None), dict(metadata))
            for step in steps
        ]

    def list_shadow_diffs(self, machine_name: str, limit: int = 100) -> list[ShadowDiff]:
        """The last comparisons, oldest first."""
        return self._shadow.list_shadow_diffs(machine_name, limit)

    def _candidate(self, machine_name: str, version: str | None) -> BuiltDiscoveryCandidate | None:
        if version is None:
            return self._candidates.get_latest_built_candidate(machine_name)
        return self._candidates.get_built_candidate(machine_name, version)

    def _free_version(self, machine_name: str) -> str:
        latest = self._candidates.get_latest_built_candidate(machine_name)
        version = next_version(latest.version if latest else None)
        # Versions may be given out of order; none that was built is ever replaced by itself.
        while self._candidates.get_built_candidate(machine_name, version) is not None:
            version = next_version(version)
        return version


def _check_machine(machine_name: str, event: ObservedStateEvent) -> None:
    if event.machine_name != machine_name:
        raise ValueError(f"Event machine_name {event.machine_name!r} does not match expected {machine_name!r}")


def _chosen(edges: list[InferredEdge], pairs: Pairs) -> list[InferredEdge]:
    if not pairs:
        raise ValueError("manual mode requires non-empty edge_selection")
    by_pair = {(edge.source_state, edge.destination_state): edge for edge in edges}
    unknown = sorted({(source, destination) for source, destination in pairs} - by_pair.keys())
    if unknown:
        raise ValueError(f"edge_selection contains pairs not present in inferred edges: {unknown}")
    wanted = set(map(tuple, pairs))
    return [edge for pair, edge in by_pair.items() if pair in wanted]
