"""What is known of machines and drafts, at a glance."""

from collections.abc import Iterable
from typing import Any

from spikard.fsm.discovery.candidate import BuiltByDraftAggregate, BuiltDiscoveryCandidate
from spikard.fsm.discovery.shadow import ShadowDiff
from spikard.fsm.observed_state_event import ObservedStateEvent


def built_by_draft(draft_ids: list[str], built: Iterable[BuiltDiscoveryCandidate]) -> dict[str, BuiltByDraftAggregate]:
    """Candidates by the drafts that they were built of."""
    found: dict[str, list[BuiltDiscoveryCandidate]] = {}
    for candidate in sorted(built, key=lambda candidate: candidate.created_at):
        draft_id = candidate.metadata.get("draft_id")
        if draft_id in draft_ids:
            found.setdefault(draft_id, []).append(candidate)
    return {
        draft_id: BuiltByDraftAggregate(draft_id, len(known), known[-1].version, known[-1].created_at)
        for draft_id, known in found.items()
    }


def fleet_summary(
    machine_name: str,
    observations: tuple[list[ObservedStateEvent], int],
    candidates: list[BuiltDiscoveryCandidate],
    diffs: list[ShadowDiff],
) -> dict[str, Any]:
    """The row of one machine."""
    newest, count = observations
    latest = max(candidates, key=lambda candidate: candidate.created_at, default=None)
    return {
        "machine_name": machine_name,
        "last_observation_at": newest[0].observed_at if newest else None,
        "observation_count": count,
        "candidate_count": len(candidates),
        "latest_candidate_version": latest.version if latest else None,
        "latest_candidate_created_at": latest.created_at if latest else None,
        "shadow_diff_count_recent": len(diffs),
        "drift_rate_recent": sum(diff.differs for diff in diffs) / len(diffs) if diffs else 0.0,
    }
