"""One event of a recording."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event, when it was sent on a clock that only goes forward, and what became of it where that is known."""

    trigger: str
    payload: dict[str, Any]
    timestamp: float
    state: str | None = None
    """Where the entity rested afterwards; None: nobody looked."""
    success: bool | None = None
    actions: tuple[str, ...] | None = None
    """The actions that its own step planned."""
    changes: dict[str, Any] | None = None
    """Keys of the context that were set meanwhile, by effects and actions."""

    def to_dict(self) -> dict[str, Any]:
        """The event as plain data."""
        data: dict[str, Any] = {"trigger": self.trigger, "payload": self.payload, "timestamp": self.timestamp}
        if self.state is not None:
            data["state"] = self.state
        if self.success is not None:
            data["success"] = self.success
        if self.actions is not None:
            data["actions"] = list(self.actions)
        if self.changes is not None:
            data["changes"] = dict(self.changes)
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "RecordedEvent":
        """Reads what `to_dict` wrote."""
        actions, changes = data.get("actions"), data.get("changes")
        return cls(
            data["trigger"],
            dict(data.get("payload") or {}),
            float(data.get("timestamp") or 0.0),
            data.get("state"),
            data.get("success"),
            None if actions is None else tuple(actions),
            None if changes is None else dict(changes),
        )
