"""What a hook has."""

from typing import Any, Protocol, runtime_checkable

from spikard.fsm.plan import Plan


@runtime_checkable
class TransitionHook(Protocol):
    """Is told of each phase of a transition. Methods may be coroutines where the event is processed asynchronously."""

    def on_before_process(self, entity_id: str, current_state: str, trigger: str, context: dict[str, Any]) -> Any:
        """An event has come for an entity."""
        ...

    def on_transition_start(self, current_state: str, trigger: str, context: dict[str, Any]) -> Any:
        """The transition is about to be computed."""
        ...

    def on_transition_complete(self, result: Plan, duration_ms: float, context: dict[str, Any]) -> Any:
        """The transition was computed: done or refused."""
        ...

    def on_transition_error(self, error: Exception, current_state: str, trigger: str, context: dict[str, Any]) -> Any:
        """Computing it raised."""
        ...
