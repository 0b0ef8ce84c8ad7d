"""News of changes, for whoever in this process wants to know."""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

logger = logging.getLogger("spikard.fsm.events")

QUEUE_SIZE = 200
BUFFER_SIZE = 100


@dataclass(frozen=True, slots=True)
class ChangeEvent:
    """Something of a topic has changed."""

    topic: str
    action: str
    resource_id: str
    revision: int = 0
    actor: str = ""
    timestamp: float = field(default_factory=time.time)
    metadata: Mapping[str, Any] = field(default_factory=dict)


class ChangeBus:
    """Hands events to queues, each in the loop of the one who has subscribed; `publish` may come from any thread.

    Who does not keep up loses what comes while the queue is full. The latest events are kept in `recent`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subscribers: dict[str, list[tuple[asyncio.AbstractEventLoop | None, asyncio.Queue[Any]]]] = {}
        self._recent: deque[ChangeEvent] = deque(maxlen=BUFFER_SIZE)

    @property
    def recent(self) -> list[ChangeEvent]:
        """The latest events, the oldest first."""
        with self._lock:
            return list(self._recent)

    def publish(self, event: ChangeEvent) -> None:
        """Tell those who have subscribed to the topic, or to all."""
        with self._lock:
            self._recent.append(event)
            told = [*self._subscribers.get(event.topic, ()), *self._subscribers.get("*", ())]
        try:
            here: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        for loop, queue in told:
            if loop is None or loop is here:
                _put(queue, event)
            elif not loop.is_closed():
                loop.call_soon_threadsafe(_put, queue, event)

    def subscribe(self, topic: str = "*") -> "asyncio.Queue[ChangeEvent | None]":
        """A queue that gets the events of a topic from now on."""
        queue: asyncio.Queue[ChangeEvent | None] = asyncio.Queue(QUEUE_SIZE)
        try:
            loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            loop = None
        with self._lock:
            self._subscribers.setdefault(topic, []).append((loop, queue))
        return queue

    def unsubscribe(self, queue: "asyncio.Queue[ChangeEvent | None]", topic: str = "*") -> None:
        """Send nothing more to a queue."""
        with self._lock:
            left = [entry for entry in self._subscribers.get(topic, ()) if entry[1] is not queue]
            self._subscribers[topic] = left


def _put(queue: "asyncio.Queue[Any]", event: ChangeEvent) -> None:
    try:
        queue.put_nowait(event)
    except asyncio.QueueFull:
        logger.warning("Change event queue full for topic %s: an event is lost", event.topic)
