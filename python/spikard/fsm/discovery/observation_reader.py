"""Reading observations, for stores that find those of a machine, or those that match, as a whole."""

from abc import ABC, abstractmethod
from collections.abc import Iterable

from spikard.fsm.discovery.draft import DiscoveryDraftFilter
from spikard.fsm.discovery.observation import in_order, newest_first
from spikard.fsm.discovery.protocol import RESOLVE_LIMIT
from spikard.fsm.observed_state_event import ObservedStateEvent


class ObservationReader(ABC):
    """Lists, pages and counts of observations, each computed from all that there are."""

    @abstractmethod
    def _seen(self, machine: str, entity_id: str | None) -> list[ObservedStateEvent]:
        """A machine's observations, or those of one of its entities, in any order."""

    @abstractmethod
    def _matching(self, scope: DiscoveryDraftFilter) -> list[ObservedStateEvent]:
        """The observations of all machines that match, in any order."""

    def list_observations(self, machine_name: str, entity_id: str | None = None) -> list[ObservedStateEvent]:
        """Observations by entity, each entity's from the oldest on."""
        return in_order(self._seen(machine_name, entity_id))

    def list_observations_page(
        self, machine_name: str, *, limit: int = 50, offset: int = 0, entity_id: str | None = None
    ) -> tuple[list[ObservedStateEvent], int]:
        """Some of the observations, newest first, and how many there are."""
        return _page(self._seen(machine_name, entity_id), limit, offset)

    def count_observations(self, machine_name: str, entity_id: str | None = None) -> int:
        """How many observations there are."""
        return len(self._seen(machine_name, entity_id))

    def list_entity_ids(self, machine_name: str) -> list[str]:
        """Entities that were seen."""
        return sorted({event.entity_id for event in self._seen(machine_name, None)})

    def resolve_observations(
        self,
        filter: DiscoveryDraftFilter,  # noqa: A002 - the name that callers give
        *,
        observation_source: object | None = None,  # noqa: ARG002 - only stores in SQL read tables of others
        limit: int = RESOLVE_LIMIT,
    ) -> tuple[list[ObservedStateEvent], bool]:
        """Observations that match, of all machines, and whether there are more."""
        found = in_order(self._matching(filter))
        return found[:limit], len(found) > limit

    def list_observations_for_draft_scope(
        self,
        filter: DiscoveryDraftFilter,  # noqa: A002 - the name that callers give
        *,
        observation_source: object | None = None,  # noqa: ARG002 - only stores in SQL read tables of others
        limit: int = 50,
        offset: int = 0,
    ) -> tuple[list[ObservedStateEvent], int]:
        """Some of the observations that match, newest first, and how many there are."""
        return _page(self._matching(filter), limit, offset)


def _page(events: Iterable[ObservedStateEvent], limit: int, offset: int) -> tuple[list[ObservedStateEvent], int]:
    found = newest_first(events)
    start = max(0, offset)
    return found[start : start + max(1, limit)], len(found)
