"""One server-sent event."""

from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class SseEvent:
    """An event with more to it than its data.

        yield SseEvent({"price": 3}, event_type="price", id="42")

    Text is sent as it is, a `data:` line for each of its lines; all other data as JSON. `retry` tells the client how
    many milliseconds to wait before it connects again; a comment is not seen by clients at all.
    """

    data: Any = None
    event_type: str | None = None
    id: str | None = None
    retry: int | None = None
    comment: str | None = None

    def __post_init__(self) -> None:
        for name, forbidden in (("event_type", "\r\n"), ("id", "\r\n\0")):
            value = getattr(self, name)
            if value is None:
                continue
            if not isinstance(value, str):
                msg = f"SseEvent.{name} must be text, not {value!r}"
                raise TypeError(msg)
            if any(character in value for character in forbidden):
                msg = f"SseEvent.{name} must be one line, not {value!r}"
                raise ValueError(msg)
        if self.retry is not None and (not isinstance(self.retry, int) or self.retry < 0):
            msg = f"SseEvent.retry must be a whole number of milliseconds, not {self.retry!r}"
            raise ValueError(msg)


__all__ = ["SseEvent"]
