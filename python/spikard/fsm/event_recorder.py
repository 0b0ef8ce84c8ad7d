"""Events as they were sent, to be sent again."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from spikard.fsm.entity_session import EntitySession
from spikard.fsm.recorded_event import RecordedEvent

if TYPE_CHECKING:
    from spikard._spikard import TransitionResult
    from spikard.fsm.state_machine import StateMachine


class EventRecorder:
    """Sends events to a session and remembers them, with where the session was at first."""

    def __init__(self, instance: EntitySession) -> None:
        self._instance = instance
        self._initial_state = instance.current_state
        self._initial_context = dict(instance.context)
        self._events: list[RecordedEvent] = []

    def send(self, trigger: str, **payload: Any) -> "TransitionResult":
        """Sends an event and remembers it, with what became of it."""
        session, sent, place = self._instance, time.monotonic(), len(self._events)
        self._events.append(RecordedEvent(trigger, payload, sent))
        before = dict(session.context)
        result = session.send(trigger, **payload)
        changes = {
            key: value
            for key, value in session.context.items()
            if key not in before or (before[key] is not value and before[key] != value)
        }
        configuration = session.configuration
        state = session.current_state if configuration is None else configuration.to_string()
        self._events[place] = RecordedEvent(
            trigger, payload, sent, state, result.success, tuple(result.all_actions), changes
        )
        return result

    @property
    def events(self) -> list[RecordedEvent]:
        """What was sent."""
        return self._events.copy()

    @property
    def instance(self) -> EntitySession:
        """The session."""
        return self._instance

    def replay(self, machine: "StateMachine") -> EntitySession:
        """A new session, of this machine or another, to which the same has been sent."""
        session = EntitySession(machine, context=dict(self._initial_context), initial_state=self._initial_state)
        for event in self._events:
            session.send(event.trigger, **event.payload)
        return session

    def to_dict(self) -> dict[str, Any]:
        """The recording as plain data."""
        return {
            "initial_state": self._initial_state,
            "initial_context": dict(self._initial_context),
            "events": [event.to_dict() for event in self._events],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], machine: "StateMachine") -> "EventRecorder":
        """Reads what `to_dict` wrote; nothing is sent yet."""
        context = dict(data.get("initial_context") or {})
        recorder = cls(EntitySession(machine, context=context, initial_state=data.get("initial_state")))
        recorder._events = [RecordedEvent.from_dict(event) for event in data.get("events") or ()]
        return recorder
