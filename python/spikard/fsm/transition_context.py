"""A context with names for what the engine puts into it."""

from typing import Any

from spikard.fsm.event import Event


class TransitionContext(dict[str, Any]):
    """A context as guards and actions get it; keys that begin with `_` are the engine's."""

    @property
    def event(self) -> Event | None:
        """The event that is being processed."""
        return self.get("_event")

    @property
    def entity_id(self) -> str | None:
        """Whose context it is, when an orchestrator keeps the entity."""
        return self.get("_entity_id")

    def user_data(self) -> dict[str, Any]:
        """A copy without the engine's keys."""
        return {key: value for key, value in self.items() if not key.startswith("_")}
