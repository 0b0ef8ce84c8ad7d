"""Server-sent events as a test reads them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from httpx_sse import EventSource, ServerSentEvent


class EventReader:
    """The events of one answer, in order; `response` is the answer itself."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._events = EventSource(response).aiter_sse()

    def __aiter__(self) -> AsyncIterator[ServerSentEvent]:
        return self._events

    async def receive(self) -> ServerSentEvent:
        """The next event; StopAsyncIteration after the last."""
        return await anext(self._events)


@asynccontextmanager
async def read_events(client: httpx.AsyncClient, method: str, path: str, **options: Any) -> AsyncIterator[EventReader]:
    """Ask for a stream of events; an answer that is none raises `httpx.HTTPStatusError`."""
    headers = httpx.Headers(options.pop("headers", None))
    headers.setdefault("accept", "text/event-stream")
    headers.setdefault("cache-control", "no-store")
    async with client.stream(method, path, headers=headers, **options) as response:
        if response.status_code >= httpx.codes.BAD_REQUEST:
            await response.aread()
            response.raise_for_status()
        yield EventReader(response)


__all__ = ["EventReader", "read_events"]
