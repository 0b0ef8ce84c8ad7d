"""What an event has done so far."""

from typing import Any


class ChartStep:
    """What has happened since an event came, to the session it came to."""

    __slots__ = ("actions", "entered", "errors", "left", "payload", "source", "taken", "trigger")

    def __init__(self, trigger: str = "", source: str = "", payload: dict[str, Any] | None = None) -> None:
        self.trigger = trigger
        self.source = source
        self.payload = payload or {}
        self.left: list[str] = []
        self.taken: list[dict[str, Any]] = []
        self.entered: list[str] = []
        self.actions: list[Any] = []
        self.errors: list[str] = []
