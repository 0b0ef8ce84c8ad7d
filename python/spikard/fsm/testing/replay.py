"""Replays: what was recorded is computed again, by the same machine or another, and compared event by event."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from spikard.fsm.errors import ReplayDivergence
from spikard.fsm.event_recorder import EventRecorder
from spikard.fsm.recorded_event import RecordedEvent
from spikard.fsm.state_machine import StateMachine
from spikard.fsm.testing.simulated_session import SimulatedSession
from spikard.fsm.testing.simulation import Simulation
from spikard.fsm.transition_result import TransitionResult

# Rows of an entity's past that are read at once.
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay has come to: how many events were as recorded, and where the entity is."""

    events: int
    state: str
    context: dict[str, Any]
    divergence: ReplayDivergence | None = None

    @property
    def is_same(self) -> bool:
        """Whether everything was as recorded."""
        return self.divergence is None


def replay(
    machine: StateMachine,
    log: EventRecorder | Mapping[str, Any] | Iterable[RecordedEvent | Mapping[str, Any]],
    *,
    baseline: StateMachine | None = None,
    context: Mapping[str, Any] | None = None,
    state: str | None = None,
    strict: bool = False,
) -> Replay:
    """Sends recorded events to a new entity of a machine, up to the first that does something else than recorded.

    `log` is a recording, what its `to_dict` gives, or events with `trigger`, `payload` and, as far as known, `state`,
    `success`, `actions` and `changes`. What is not known of an event is taken from `baseline`, the machine that it was
    sent to. Effects are computed, other actions are not carried out: what they changed comes from the log. `context`
    and `state` are where the entity begins, for logs that don't say. With `strict`, ReplayDivergence is raised.
    """
    events, first_context, first_state = _read(log)
    start = dict(first_context if context is None else context)
    place = first_state if state is None else state
    session = SimulatedSession(Simulation(machine), context=start, state=place, contracts=False)
    known = None
    if baseline is not None:
        known = SimulatedSession(Simulation(baseline), context=start, state=place, contracts=False)
    began = events[0].timestamp if events else 0.0
    for index, event in enumerate(events):
        expected = _expected(event, known)
        _move_clock(session, event.timestamp - began)
        result = session.send(event.trigger, **event.payload)
        found = _difference(expected, session, result)
        if found is not None:
            divergence = _divergence(index, event, *found)
            if strict:
                raise divergence
            return Replay(index, session.place, dict(session.context), divergence)
        if event.changes is not None:
            session.context.update(event.changes)
    return Replay(len(events), session.place, dict(session.context))


def replay_entity(
    machine: StateMachine, store: Any, entity_id: str, *, context: Mapping[str, Any] | None = None, strict: bool = False
) -> Replay:
    """Replays the events that a store has kept of an entity, and compares with the transitions that it has kept.

    The entity begins as new ones do, with `context` as far as it is given. The store needs `get_events` and
    `get_transition_history`.
    """
    events: list[RecordedEvent] = []
    after = 0
    while rows := store.get_events(entity_id, after_sequence=after, limit=_PAGE):
        events += [RecordedEvent(row["trigger"], dict(row.get("payload") or {}), 0.0) for row in rows]
        after = rows[-1]["sequence"]
    # Nobody says how many there are; newest first.
    past = list(store.get_transition_history(entity_id, limit=max(_PAGE, len(events) * 20)))[::-1]
    session = SimulatedSession(Simulation(machine), context=dict(context or {}), contracts=False)
    for index, event in enumerate(events):
        before = len(session.fired)
        session.send(event.trigger, **event.payload)
        for _, result in session.fired[before:]:
            kept = past.pop(0) if past else None
            now = (result.trigger, result.source_state, result.target_state)
            then = None if kept is None else (kept["trigger"], kept["source_state"], kept["target_state"])
            if now != then:
                divergence = _divergence(index, event, "transition", then, now)
                if strict:
                    raise divergence
                return Replay(index, session.place, dict(session.context), divergence)
        if past and before == len(session.fired) and _was_accepted(past[0], event, events[index + 1 :]):
            kept = past[0]
            then = (kept["trigger"], kept["source_state"], kept["target_state"])
            divergence = _divergence(index, event, "transition", then, None)
            if strict:
                raise divergence
            return Replay(index, session.place, dict(session.context), divergence)
    return Replay(len(events), session.place, dict(session.context))


def _was_accepted(kept: Mapping[str, Any], event: RecordedEvent, later: list[RecordedEvent]) -> bool:
    """Whether the next line of an entity's past can only be of this event."""
    return kept["trigger"] == event.trigger and all(one.trigger != event.trigger for one in later)


def _read(
    log: EventRecorder | Mapping[str, Any] | Iterable[RecordedEvent | Mapping[str, Any]],
) -> tuple[list[RecordedEvent], dict[str, Any], str | None]:
    if isinstance(log, EventRecorder):
        log = log.to_dict()
    if isinstance(log, Mapping):
        return (
            [_event(one) for one in log.get("events") or ()],
            dict(log.get("initial_context") or {}),
            log.get("initial_state"),
        )
    return [_event(one) for one in log], {}, None


def _event(written: RecordedEvent | Mapping[str, Any]) -> RecordedEvent:
    return written if isinstance(written, RecordedEvent) else RecordedEvent.from_dict(written)


def _expected(event: RecordedEvent, known: SimulatedSession | None) -> RecordedEvent:
    if known is None:
        return event
    result = known.send(event.trigger, **event.payload)
    if event.changes is not None:
        known.context.update(event.changes)
    return RecordedEvent(
        event.trigger,
        event.payload,
        event.timestamp,
        event.state if event.state is not None else known.place,
        event.success if event.success is not None else result.success,
        event.actions if event.actions is not None else tuple(result.all_actions),
        event.changes,
    )


def _difference(
    event: RecordedEvent, session: SimulatedSession, result: TransitionResult
) -> tuple[str, Any, Any] | None:
    """What is not as recorded: what it is, what was, what is."""
    if event.success is not None and event.success != result.success:
        return "outcome", "accepted" if event.success else "refused", _outcome(result)
    place = session.place if event.state is not None and ":" in event.state else session.current_state
    if event.state is not None and event.state != place:
        return "state", event.state, place
    if event.actions is not None and tuple(event.actions) != tuple(result.all_actions):
        return "plan", list(event.actions), list(result.all_actions)
    for key in session.simulation.watched if event.changes is not None else ():
        if key in (event.changes or {}) and event.changes[key] != session.context.get(key):  # type: ignore[index]
            return f"context['{key}']", (event.changes or {})[key], session.context.get(key)
    return None


def _outcome(result: TransitionResult) -> str:
    return "accepted" if result.success else f"refused: {result.error}"


def _divergence(index: int, event: RecordedEvent, what: str, expected: Any, actual: Any) -> ReplayDivergence:
    name = f"Event {index + 1} ('{event.trigger}')"
    return ReplayDivergence(
        f"{name} does something else than recorded: {what} was {expected!r}, is {actual!r}",
        index,
        expected,
        actual,
        {"trigger": event.trigger},
    )


def _move_clock(session: SimulatedSession, seconds: float) -> None:
    """Time goes on; what it fired is in the log as events."""
    from spikard.fsm.testing.simulated_session import START

    behind = seconds - (session.clock.now() - START).total_seconds()
    if behind > 0:
        session.pass_time(behind)
