"""Drafts by their titles."""

from dataclasses import replace
from typing import Any, Final
from uuid import uuid4

from spikard.fsm.discovery.draft import DiscoveryDraft, DiscoveryDraftFilter
from spikard.fsm.discovery.observation import utc_now
from spikard.fsm.discovery.observation_source import ObservationSourceConfig
from spikard.fsm.discovery.protocol import DraftStore
from spikard.fsm.names import NAME_PATTERN

UNCHANGED: Final = object()


class DraftBook:
    """The drafts of a store, each with a title that no other of its instance has."""

    def __init__(self, store: DraftStore) -> None:
        self.store = store

    def get(self, draft_id: str) -> DiscoveryDraft:
        """One draft, or `ValueError`."""
        draft = self.store.get_draft(draft_id)
        if draft is None:
            raise ValueError(f"draft not found: {draft_id}")
        return draft

    def create(self, title: str, instance_id: str, **settings: Any) -> DiscoveryDraft:
        """A new draft."""
        slug = self._free_title(title, instance_id)
        now = utc_now()
        return self.store.save_draft(
            DiscoveryDraft(
                id=str(uuid4()),
                instance_id=instance_id,
                machine_name=slug,
                title=slug,
                selected_entity_ids=(),
                mode="inference",
                manual_edge_selection=(),
                created_at=now,
                updated_at=now,
                **settings,
            )
        )

    def update(
        self,
        draft_id: str,
        *,
        title: str | None = None,
        selected_entity_ids: list[str] | None = None,
        mode: str | None = None,
        min_edge_count: int | None = None,
        min_confidence: float | None = None,
        manual_edge_selection: list[tuple[str, str]] | None = None,
        filter: DiscoveryDraftFilter | None = None,  # noqa: A002 - the name that callers give
        clear_filter: bool = False,
        new_observation_source: ObservationSourceConfig | object | None = UNCHANGED,
        clear_observation_source: bool = False,
    ) -> DiscoveryDraft:
        """The draft with what is given in place of what it had."""
        draft = self.get(draft_id)
        changes: dict[str, Any] = {}
        if title is not None:
            changes["title"] = changes["machine_name"] = self._free_title(title, draft.instance_id, but=draft.id)
        if selected_entity_ids is not None:
            changes["selected_entity_ids"] = tuple(selected_entity_ids)
        if mode is not None:
            if mode not in ("inference", "manual"):
                raise ValueError("mode must be inference or manual")
            changes["mode"] = mode
        if min_edge_count is not None:
            changes["min_edge_count"] = max(1, int(min_edge_count))
        if min_confidence is not None:
            changes["min_confidence"] = min(1.0, max(0.0, float(min_confidence)))
        if manual_edge_selection is not None:
            changes["manual_edge_selection"] = tuple((source, end) for source, end in manual_edge_selection)
        if clear_filter or filter is not None:
            changes["filter"] = None if clear_filter else filter
        if clear_observation_source or new_observation_source is not UNCHANGED:
            changes["observation_source"] = None if clear_observation_source else new_observation_source
        return self.store.save_draft(replace(draft, updated_at=utc_now(), **changes))

    def built(self, draft: DiscoveryDraft, version: str) -> None:
        """Remember what was built of a draft."""
        self.store.save_draft(replace(draft, last_built_version=version, updated_at=utc_now()))

    def _free_title(self, title: str, instance_id: str, but: str | None = None) -> str:
        slug = (title or "").strip()
        if not slug:
            raise ValueError("draft title cannot be empty")
        if not NAME_PATTERN.fullmatch(slug):
            raise ValueError("draft title must contain only lowercase letters, digits, and underscores")
        taken = {draft.title for draft in self.store.list_all_drafts() if self._is_other(draft, instance_id, but)}
        if slug in taken:
            raise ValueError(f"duplicate draft title under this connection instance: {slug!r}")
        return slug

    @staticmethod
    def _is_other(draft: DiscoveryDraft, instance_id: str, but: str | None) -> bool:
        return draft.instance_id == instance_id and draft.id != but
