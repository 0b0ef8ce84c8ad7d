"""Observations: what tells them apart, and their order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from spikard.fsm.observed_state_event import ObservedStateEvent

_TICK = timedelta(microseconds=1)

Position = tuple[datetime, int, datetime]


def utc_now() -> datetime:
    """This moment."""
    return datetime.now(UTC)


def to_utc(moment: datetime) -> datetime:
    """A moment in UTC; one without a zone is taken for UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class ObservationIdentity:
    """What makes two observations of a machine the same one."""

    entity_id: str
    state: str
    observed_at: datetime
    source: str
    source_event_id: str | None = None


def observation_identity_from_event(ev: ObservedStateEvent) -> ObservationIdentity:
    """The identity of an observation."""
    return ObservationIdentity(ev.entity_id, ev.state, ev.observed_at, ev.source, ev.source_event_id)


def normalized(event: ObservedStateEvent) -> ObservedStateEvent:
    """The observation with its moments in UTC, so that any two can be compared."""
    return replace(event, observed_at=to_utc(event.observed_at), ingested_at=to_utc(event.ingested_at))


def position(event: ObservedStateEvent) -> Position:
    """The place of an observation among those of its entity, oldest first."""
    return event.observed_at, event.ingest_seq, event.ingested_at


def in_order(events: Iterable[ObservedStateEvent]) -> list[ObservedStateEvent]:
    """Observations by entity, each entity's from the oldest on."""
    return sorted(events, key=lambda event: (event.entity_id, *position(event)))


def newest_first(events: Iterable[ObservedStateEvent]) -> list[ObservedStateEvent]:
    """Observations as lists show them."""
    return sorted(events, key=position, reverse=True)


def position_beside(
    events: Sequence[ObservedStateEvent], reference: ObservationIdentity, side: Literal["above", "below"]
) -> Position:
    """A free place right above or below an observation in a list with the newest first."""
    wanted = replace(reference, observed_at=to_utc(reference.observed_at))
    places = [place for place, event in enumerate(events) if observation_identity_from_event(event) == wanted]
    if not places:
        raise ValueError("reference observation not found in the provided sequence")
    if side not in ("above", "below"):
        raise ValueError(f"position must be 'above' or 'below', got: {side!r}")
    first_below = places[0] + (side == "below")
    upper = events[first_below - 1] if first_below > 0 else None
    lower = events[first_below] if first_below < len(events) else None
    return _between(upper, lower)


def _between(upper: ObservedStateEvent | None, lower: ObservedStateEvent | None) -> Position:
    if upper is None:
        if lower is None:
            raise ValueError("there is nothing to stand beside")
        moment = max(utc_now(), lower.observed_at + _TICK)
        return moment, 0, moment
    if lower is None:
        return upper.observed_at - _TICK, 0, upper.ingested_at
    middle = lower.observed_at + (upper.observed_at - lower.observed_at) / 2
    if lower.observed_at < middle < upper.observed_at:
        return middle, 0, utc_now()
    # The neighbours were seen at once or one after the other: what tells them apart next is the order of their arrival.
    found = (lower.observed_at, lower.ingest_seq + 1, lower.ingested_at)
    if found < position(upper):
        return found
    arrival = lower.ingested_at + (upper.ingested_at - lower.ingested_at) / 2
    found = (lower.observed_at, lower.ingest_seq, arrival)
    if position(lower) < found < position(upper):
        return found
    raise ValueError("cannot derive a strict sort position between the two neighbors")
