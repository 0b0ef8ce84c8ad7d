"""One event of a recording."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event, and when it was sent on a clock that only goes forward."""

    trigger: str
    payload: dict[str, Any]
    timestamp: float

    def to_dict(self) -> dict[str, Any]:
        """The event as plain data."""
        return {"trigger": self.trigger, "payload": self.payload, "timestamp": self.timestamp}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "RecordedEvent":
        """Reads what `to_dict` wrote."""
        return cls(data["trigger"], dict(data.get("payload") or {}), float(data.get("timestamp") or 0.0))
