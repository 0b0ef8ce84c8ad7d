"""Names for server-sent events."""

from spikard.responses.event import SseEvent
from spikard.responses.event_producer import SseEventProducer
from spikard.responses.event_stream import EventStreamResponse
from spikard.routing.decorators import sse

__all__ = ["EventStreamResponse", "SseEvent", "SseEventProducer", "sse"]
