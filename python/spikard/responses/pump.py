"""Drives the iterators of streamed bodies: one chunk ahead of the client at most."""

import asyncio
import logging
from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine, Iterable, Iterator
from typing import Any

from spikard import background
from spikard._spikard import StreamSink

logger = logging.getLogger("spikard.error")

_END = object()
_running: set["asyncio.Task[None]"] = set()


def start(iterator: Any, sink: StreamSink, after: Callable[[], Any] | None = None) -> None:
    """Begin to pull `iterator` into `sink`; called on the loop's thread. `after` is run at the end, whatever it was."""
    task = _kept(_pump(iterator, sink))
    if after is not None:
        task.add_done_callback(lambda _: background.run_after(after))
    if not sink.started(task):
        # Cancelled before its first step, it closes nothing.
        task.cancel()
        close = getattr(iterator, "aclose", None)
        if close is not None:
            _kept(close())


def _kept(coroutine: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
    task = asyncio.get_running_loop().create_task(coroutine)
    _running.add(task)
    task.add_done_callback(_running.discard)
    return task


def make_room(room: "asyncio.Future[None]") -> None:
    """Tell a waiting producer that its last chunk was taken."""
    if not room.done():
        room.set_result(None)


def report_invalid(errors: str) -> None:
    """Tell of an event that does not fit its schema."""
    logger.error("an event does not fit its schema: %s", errors)


async def _pump(iterator: Any, sink: StreamSink) -> None:
    chunks = aiter(iterator) if isinstance(iterator, AsyncIterable) else _threaded(iterator)
    try:
        async for chunk in chunks:
            while True:
                room = asyncio.get_running_loop().create_future()
                taken = sink.offer(chunk, room)
                if taken is not False:
                    break
                await room
            if taken is None:
                break
    except asyncio.CancelledError:
        sink.fail("the client has gone")
        raise
    except Exception as fault:
        logger.exception("a streamed body failed")
        sink.fail(type(fault).__name__)
    else:
        sink.finish()
    finally:
        close = getattr(chunks, "aclose", None)
        if close is not None:
            await close()


async def _threaded(iterable: Iterable[Any]) -> AsyncIterator[Any]:
    """A sync iterator, whose steps may block, in a thread."""
    iterator: Iterator[Any] = iter(iterable)
    try:
        while (chunk := await asyncio.to_thread(next, iterator, _END)) is not _END:
            yield chunk
    finally:
        close = getattr(iterator, "close", None)
        if close is not None:
            await asyncio.to_thread(close)
