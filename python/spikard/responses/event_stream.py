"""Streams of server-sent events."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from spikard._spikard import Headers, JsonSchema
from spikard.responses.event import SseEvent
from spikard.responses.event_producer import events_of
from spikard.responses.streaming import StreamingResponse

KEEP_ALIVE_SECONDS = 15.0


class EventStreamResponse(StreamingResponse):
    """Sends what an iterator yields as server-sent events: an `SseEvent`, text, or anything with a JSON form.

    The native side reads the class attributes: after `keep_alive` seconds without an event a comment is sent.
    """

    event_class: ClassVar[type] = SseEvent
    keep_alive: ClassVar[float | None] = KEEP_ALIVE_SECONDS
    checker: ClassVar[JsonSchema | None] = None
    strict: ClassVar[bool] = False

    def __new__(
        cls,
        iterator: Any,
        status_code: int = 200,
        headers: Mapping[str, str] | Headers | None = None,
        *,
        media_type: str | None = "text/event-stream",
        background: Any = None,
    ) -> Self:
        """Take a sync or async iterator or generator, or a producer object."""
        events = events_of(iterator)
        response = super().__new__(cls, events, status_code, headers, media_type=media_type, background=background)
        response.headers.setdefault("cache-control", "no-cache")
        response.headers.setdefault("x-accel-buffering", "no")
        return response


def event_stream_class(
    schema: Mapping[str, Any] | None, keep_alive: float | None, *, strict: bool
) -> type[EventStreamResponse]:
    """The class of one route's streams."""
    attributes = {
        "keep_alive": keep_alive,
        "checker": JsonSchema(schema) if schema is not None else None,
        "strict": strict,
    }
    return type("EventStreamResponse", (EventStreamResponse,), attributes)


__all__ = ["KEEP_ALIVE_SECONDS", "EventStreamResponse", "event_stream_class"]
