"""Discoveries as plain data, for services and pages."""

from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Literal

from spikard.fsm.discovery.candidate import BuiltDiscoveryCandidate, next_version
from spikard.fsm.discovery.draft import DiscoveryDraft, DiscoveryDraftFilter
from spikard.fsm.discovery.edge import edges_to_dict
from spikard.fsm.discovery.engine import InferenceEngine
from spikard.fsm.discovery.observation import ObservationIdentity, utc_now
from spikard.fsm.discovery.protocol import RECENT_DIFFS
from spikard.fsm.discovery.shadow import ShadowDiff
from spikard.fsm.observed_state_event import ObservedStateEvent

Mode = Literal["inference", "manual"]
PROMOTED = "promoted"

_SHOWN = ("entity_id", "state", "observed_at", "source", "source_event_id", "ingest_seq", "ingested_at")
_SORTS = (
    "machine_name", "last_observation_at", "observation_count", "candidate_count", "latest_candidate_version",
    "latest_candidate_created_at", "shadow_diff_count_recent", "drift_rate_recent",
)  # fmt: skip


class DiscoveryClient:
    """An engine whose answers are plain data; without one, that of the database which the settings name."""

    def __init__(self, engine: InferenceEngine | None = None) -> None:
        self._is_own = engine is None
        self.engine = InferenceEngine.from_app_config() if engine is None else engine

    def close(self) -> None:
        """Close the connections, if the client has opened them."""
        if self._is_own:
            self.engine.close()

    # Observations

    def record_observation(
        self,
        *,
        machine_name: str,
        entity_id: str,
        state: str,
        observed_at: datetime | None = None,
        source: str = "unknown",
        source_event_id: str | None = None,
        ingest_seq: int = 0,
        metadata: dict[str, Any] | None = None,
        ingested_at: datetime | None = None,
    ) -> bool:
        """Keep that an entity was seen in a state, now where no moment is given; False where that is known."""
        now = utc_now()
        event = ObservedStateEvent(
            entity_id, machine_name, state, observed_at or now, source, source_event_id, metadata or {},
            ingested_at or now, ingest_seq,
        )  # fmt: skip
        return self.engine.record_observation(machine_name, event)

    def delete_machine_observation(self, machine_name: str, identity: ObservationIdentity) -> bool:
        """Forget one observation; False where there is none such."""
        return self.engine.delete_observation(machine_name, identity)

    def insert_machine_observation_relative(
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
        """Keep an observation right above or below another in the list with the newest first."""
        return self.engine.insert_observation_relative(
            machine_name, entity_id=entity_id, reference=reference, position=position, state=state, source=source,
            source_event_id=source_event_id, metadata=metadata,
        )  # fmt: skip

    def list_entity_ids(self, machine_name: str) -> list[str]:
        """Entities that were seen."""
        return self.engine._observations.list_entity_ids(machine_name)

    def list_machine_observations(
        self, machine_name: str, *, limit: int = 50, offset: int = 0, entity_id: str | None = None
    ) -> dict[str, Any]:
        """Some of the observations, the newest first, and how many there are."""
        events, total = self.engine._observations.list_observations_page(
            machine_name, limit=limit, offset=offset, entity_id=entity_id
        )
        items = [{name: getattr(event, name) for name in _SHOWN} for event in events]
        return {"machine_name": machine_name, "items": items, "total": total, "limit": limit, "offset": offset}

    def delete_entity_observations(self, machine_name: str, entity_id: str) -> int:
        """Forget an entity; the number of its observations."""
        return self.engine._observations.delete_observations_for_entity(machine_name, entity_id)

    # Candidates

    def preview_candidate_inputs(
        self,
        *,
        machine_name: str | None = None,
        filter_model: DiscoveryDraftFilter | None = None,
        mode: Mode = "inference",
        entity_ids: list[str] | None = None,
        min_edge_count: int | None = None,
        min_confidence: float | None = None,
    ) -> dict[str, Any]:
        """What a candidate would be built of."""
        found = self.engine.preview_filter(
            _scope(machine_name, filter_model, entity_ids), mode=mode, min_edge_count=min_edge_count,
            min_confidence=min_confidence,
        )  # fmt: skip
        return _preview(found, machine_name)

    def build_candidate(
        self,
        machine_name: str,
        version: str | None = None,
        *,
        mode: Mode = "inference",
        entity_ids: list[str] | None = None,
        edge_selection: list[tuple[str, str]] | None = None,
        min_edge_count: int | None = None,
        min_confidence: float | None = None,
        draft_id: str | None = None,
        filter_model: DiscoveryDraftFilter | None = None,
    ) -> dict[str, Any]:
        """Build a machine of what was seen of it, and keep it."""
        built = self.engine.build_candidate(
            machine_name, version, mode=mode, edge_selection=edge_selection, min_edge_count=min_edge_count,
            min_confidence=min_confidence, draft_id=draft_id, filter=_scope(machine_name, filter_model, entity_ids),
        )  # fmt: skip
        return _candidate(built)

    def save_candidate_config(
        self,
        *,
        source_machine_name: str,
        target_machine_name: str,
        target_version: str | None = None,
        config: dict[str, Any],
        metadata: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Keep a configuration that somebody has written as a candidate, by default as the next version."""
        version = target_version
        if version is None:
            latest = self.engine.get_latest_built_candidate(target_machine_name)
            version = next_version(None if latest is None else latest.version)
        about = {"build_mode": "manual_config", "source_machine_name": source_machine_name, **(metadata or {})}
        built = BuiltDiscoveryCandidate(target_machine_name, version, "candidate", config, metadata=about)
        return _candidate(self.engine._candidates.save_built_candidate(built))

    def update_candidate_status(self, *, machine_name: str, version: str, status: str) -> BuiltDiscoveryCandidate:
        """Write down what has become of a candidate; ValueError where there is none such."""
        found = self.engine.get_built_candidate(machine_name, version)
        if found is None:
            raise ValueError(f"Candidate not found for machine={machine_name!r} version={version!r}")
        return self.engine._candidates.save_built_candidate(replace(found, status=status))

    def get_latest_candidate(self, machine_name: str) -> dict[str, Any] | None:
        """The candidate that was built last."""
        found = self.engine.get_latest_built_candidate(machine_name)
        return None if found is None else _candidate(found)

    def get_candidate_version(self, machine_name: str, version: str) -> BuiltDiscoveryCandidate | None:
        """One candidate."""
        return self.engine.get_built_candidate(machine_name, version)

    def get_candidate_detail(self, machine_name: str, version: str) -> dict[str, Any] | None:
        """One candidate as plain data."""
        found = self.engine.get_built_candidate(machine_name, version)
        return None if found is None else _candidate(found)

    def list_candidate_summaries(self, machine_name: str) -> list[dict[str, Any]]:
        """Candidates without their configurations, the latest first, with how often comparisons differed."""
        diffs = self.engine.list_shadow_diffs(machine_name, RECENT_DIFFS)
        return [_summary(one, diffs) for one in reversed(self.engine.list_built_candidates(machine_name))]

    def delete_built_candidate(self, machine_name: str, version: str) -> bool:
        """Forget a candidate; ValueError for one that is in use."""
        found = self.engine.get_built_candidate(machine_name, version)
        if found is not None and found.status == PROMOTED:
            raise ValueError("Cannot delete a promoted candidate")
        return self.engine.delete_built_candidate(machine_name, version)

    # Comparisons

    def list_shadow_diffs(self, machine_name: str, limit: int = 100) -> list[dict[str, Any]]:
        """The last comparisons, oldest first."""
        return [asdict(diff) for diff in self.engine.list_shadow_diffs(machine_name, limit)]

    def compare_against_baseline(
        self,
        machine_name: str,
        baseline_config: dict[str, Any],
        baseline_machine_name: str,
        candidate_version: str | None = None,
    ) -> list[dict[str, Any]]:
        """What another machine makes of every transition of a candidate."""
        diffs = self.engine.compare_candidate_against_baseline(
            machine_name=machine_name, baseline_config=baseline_config, baseline_machine_name=baseline_machine_name,
            candidate_version=candidate_version,
        )  # fmt: skip
        return [asdict(diff) for diff in diffs]

    def run_shadow_compare(
        self,
        *,
        machine_name: str,
        active_config: dict[str, Any],
        source_state: str,
        trigger: str,
        context: dict[str, Any] | None = None,
    ) -> ShadowDiff | None:
        """What the machine in use and the latest candidate make of one event; None without a candidate."""
        return self.engine.run_shadow_compare(
            machine_name=machine_name, active_config=active_config, source_state=source_state, trigger=trigger,
            context=context,
        )  # fmt: skip

    def list_fleet_summaries(
        self,
        *,
        query: str | None = None,
        sort: str = "machine_name",
        order: str = "asc",
        limit: int = 50,
        offset: int = 0,
    ) -> dict[str, Any]:
        """A page of rows, one for each machine; `query` is a part of names, `sort` a key of the rows."""
        if sort not in _SORTS:
            raise ValueError(f"sort must be one of {', '.join(_SORTS)}, not {sort!r}")
        if order not in ("asc", "desc"):
            raise ValueError(f"order must be 'asc' or 'desc', not {order!r}")
        store: Any = self.engine._observations
        wanted = (query or "").lower()
        rows = [row for row in store.list_fleet_summaries() if wanted in row["machine_name"].lower()]
        # Machines without a value come last, whichever the direction.
        known = sorted((r for r in rows if r[sort] is not None), key=lambda r: r[sort], reverse=order == "desc")
        rows = [*known, *(row for row in rows if row[sort] is None)]
        page = rows[max(0, offset) : max(0, offset) + max(1, limit)]
        return {"items": page, "total": len(rows), "limit": limit, "offset": offset}

    # Drafts

    def create_draft(
        self,
        title: str,
        *,
        instance_id: str | None = None,
        filter_model: DiscoveryDraftFilter | None = None,
        min_edge_count: int | None = None,
        min_confidence: float | None = None,
        observation_source: Any = None,
    ) -> dict[str, Any]:
        """Keep a scope under a title that nothing else of the instance has."""
        draft = self.engine.create_draft(
            title, instance_id=instance_id, filter=filter_model, min_edge_count=min_edge_count,
            min_confidence=min_confidence, observation_source=observation_source,
        )  # fmt: skip
        return self.draft_to_dict(draft)

    def list_drafts_full(self, instance_id: str | None = None) -> list[dict[str, Any]]:
        """All drafts, or those of an instance, those changed last first."""
        drafts = self.engine.list_all_drafts()
        return [self.draft_to_dict(one) for one in drafts if instance_id in (None, one.instance_id)]

    def patch_draft(self, draft_id: str, patch: dict[str, Any]) -> dict[str, Any]:
        """Change what is given, as `InferenceEngine.update_draft` does."""
        return self.draft_to_dict(self.engine.update_draft(draft_id, **patch))

    def delete_draft(self, draft_id: str) -> bool:
        """Forget a draft; False where there is none such."""
        return self.engine.delete_draft(draft_id)

    def preview_draft(self, draft_id: str) -> dict[str, Any]:
        """What a candidate of the draft would be built of."""
        return _preview(self.engine.preview_draft(draft_id), None)

    def build_draft(self, draft_id: str, *, target_machine_name: str | None = None) -> dict[str, Any]:
        """Build a candidate of the draft."""
        return _candidate(self.engine.build_from_draft(draft_id, target_machine_name=target_machine_name))

    @staticmethod
    def draft_to_dict(d: DiscoveryDraft) -> dict[str, Any]:
        """A draft as plain data."""
        names = ("id", "instance_id", "title", "mode", "min_edge_count", "min_confidence", "created_at", "updated_at")
        return {
            **{name: getattr(d, name) for name in names},
            "selected_entity_ids": list(d.selected_entity_ids),
            "manual_edge_selection": [list(pair) for pair in d.manual_edge_selection],
            "last_built_version": d.last_built_version,
            "filter": None if d.filter is None else asdict(d.filter),
            "observation_source": None if d.observation_source is None else asdict(d.observation_source),
        }


def _scope(
    machine_name: str | None, given: DiscoveryDraftFilter | None, entity_ids: list[str] | None
) -> DiscoveryDraftFilter:
    scope = given or DiscoveryDraftFilter(channels=None if machine_name is None else (machine_name,))
    return replace(scope, entity_ids=tuple(entity_ids)) if entity_ids and scope.entity_ids is None else scope


def _preview(found: dict[str, Any], machine_name: str | None) -> dict[str, Any]:
    edges = {key: edges_to_dict(found[key]) for key in ("edges", "selected_edges")}
    kept = {key: found[key] for key in ("mode", "entity_ids_used", "observation_count", "observation_limit_reached")}
    return {"machine_name": machine_name or found["machine_name"], **kept, **edges}


def _candidate(built: BuiltDiscoveryCandidate) -> dict[str, Any]:
    return {
        "machine_name": built.machine_name,
        "version": built.version,
        "candidate_sequence": built.candidate_sequence,
        "status": built.status,
        "config": built.config,
        "created_at": built.created_at,
        "metadata": built.metadata,
        "edges": built.metadata.get("selected_edges_snapshot", []),
    }


def _summary(built: BuiltDiscoveryCandidate, diffs: list[ShadowDiff]) -> dict[str, Any]:
    return {
        "machine_name": built.machine_name,
        "version": built.version,
        "candidate_sequence": built.candidate_sequence,
        "status": built.status,
        "created_at": built.created_at,
        "metadata": built.metadata,
        "observation_count_at_build": built.metadata.get("observation_count"),
        "shadow_diff_count_recent": len(diffs),
        "drift_rate_recent": sum(diff.differs for diff in diffs) / len(diffs) if diffs else 0.0,
        "build_mode": built.metadata.get("build_mode"),
    }
