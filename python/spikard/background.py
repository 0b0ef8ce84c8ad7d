"""Work that outlives the answer: scheduled at once on the running loop, or after the response has been written."""

import asyncio
import concurrent.futures
import functools
import inspect
import logging
import threading
from collections.abc import Callable, Coroutine, Generator
from contextvars import ContextVar, copy_context
from typing import Any

__all__ = ["BackgroundTasks", "Handle", "drain", "keep", "run"]

logger = logging.getLogger("spikard.error")

# The loop holds its tasks weakly; these are the strong references, kept until the task ends.
_running: set[asyncio.Task[Any]] = set()

# The loop that serves requests, as seen from the handlers, also from those in threads.
worker_loop: ContextVar[asyncio.AbstractEventLoop | None] = ContextVar("worker_loop", default=None)

Observer = Callable[[str], "concurrent.futures.Future[Any]"]
# Each is told the name of every piece of work when it is scheduled, and gives what its end is put into: those who test
# listen here.
observers: list[Observer] = []


def run(work: Coroutine[Any, Any, Any] | Callable[..., Any], *args: Any) -> "asyncio.Task[Any] | Handle":
    """Start a coroutine or function now, beside the current request; gives a handle with `await` and `cancel()`.

    A plain function runs in the thread pool. Faults are logged and never change a response. Called from a thread
    (a `def` handler) the work runs on the worker's loop; outside a server, on a loop of its own.

        background.run(send_receipt(order))
    """
    coroutine = _coroutine(work, args)
    handle = _started(coroutine)
    if observers:
        ends = _announced(work)
        future = handle._future if isinstance(handle, Handle) else handle
        future.add_done_callback(lambda ended: _put_end(ended, ends))
    return handle


def _started(coroutine: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any] | Handle":
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        worker = worker_loop.get()
        if worker is not None and worker.is_running():
            return Handle(asyncio.run_coroutine_threadsafe(_tracked(coroutine), worker))
        return Handle(_run_privately(coroutine))
    task = loop.create_task(coroutine)
    _running.add(task)
    task.add_done_callback(_finished)
    return task


async def drain(seconds: float | None) -> int:
    """Wait for the background work of this loop; what is left after `seconds` is cancelled and counted."""
    loop = asyncio.get_running_loop()
    mine = {task for task in _running if task.get_loop() is loop and task is not asyncio.current_task()}
    if not mine:
        return 0
    _, late = await asyncio.wait(mine, timeout=seconds)
    for task in late:
        task.cancel()
    if late:
        await asyncio.wait(late, timeout=1)
    return len(late)


def keep(task: "asyncio.Task[Any]") -> None:
    """Hold on to a task, and wait for it at the shutdown as for work behind an answer."""
    _running.add(task)
    task.add_done_callback(_running.discard)


def run_after(work: Callable[..., Any], request_id: str | None = None) -> None:
    """Run what an answer carries as `background`, now that the answer is on its way; from the loop's thread."""
    keep(asyncio.get_running_loop().create_task(_after(work, request_id)))


async def _after(work: Callable[..., Any], request_id: str | None) -> None:
    try:
        # Tasks of a list are announced one by one.
        await (call(work) if isinstance(work, BackgroundTasks) else _observed(work, call(work)))
    except Exception:
        logger.exception(
            "background work %s failed [request %s]", _name(work), request_id or "-", extra={"request_id": request_id}
        )


class BackgroundTasks:
    """Work to do in order after the response has been written; ask for it as a handler parameter."""

    __slots__ = ("_last", "_tasks")

    def __init__(self) -> None:
        self._tasks: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = []
        self._last: Callable[[], Coroutine[Any, Any, None]] | None = None

    def add_task(self, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> None:
        """Append a sync or async function and its arguments."""
        self._tasks.append((work, args, kwargs))

    add = add_task

    def finish_with(self, last: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run this behind everything, whatever becomes of it: what the tasks use is given back here."""
        self._last = last

    def __len__(self) -> int:
        return len(self._tasks)

    def __bool__(self) -> bool:
        # An empty list of tasks is still the object the handler was given.
        return True

    async def __call__(self) -> None:
        """Run everything in order; a task that fails is logged and the next one runs."""
        tasks, self._tasks = self._tasks, []
        last, self._last = self._last, None
        try:
            for work, args, kwargs in tasks:
                try:
                    await _observed(work, call(work, *args, **kwargs))
                except Exception:
                    logger.exception("background task %s failed", _name(work))
        finally:
            if last is not None:
                await last()


class InOrder:
    """Work of a response, and behind it that of the handler that gave it."""

    __slots__ = ("_parts",)

    def __init__(self, *parts: Callable[..., Any]) -> None:
        self._parts = parts

    async def __call__(self) -> None:
        for part in self._parts:
            await _after(part, None)


async def call(work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Call an async function on the loop, a plain one in the thread pool with the current context."""
    if inspect.iscoroutinefunction(inspect.unwrap(work)) or inspect.iscoroutinefunction(
        getattr(work, "__call__", None)  # noqa: B004
    ):
        return await work(*args, **kwargs)
    loop = asyncio.get_running_loop()
    result = await loop.run_in_executor(None, functools.partial(copy_context().run, work, *args, **kwargs))
    return await result if inspect.isawaitable(result) else result


class Handle:
    """Work that was started from outside its loop."""

    __slots__ = ("_future",)

    def __init__(self, future: concurrent.futures.Future[Any]) -> None:
        self._future = future
        future.add_done_callback(_report)

    def cancel(self) -> bool:
        """Ask the work to stop; False when it has ended already."""
        return self._future.cancel()

    def done(self) -> bool:
        """Whether the work has ended."""
        return self._future.done()

    def result(self, timeout: float | None = None) -> Any:
        """Block until the work has ended; its result, or its exception."""
        return self._future.result(timeout)

    def __await__(self) -> Generator[Any, None, Any]:
        return asyncio.wrap_future(self._future).__await__()


def _run_privately(coroutine: Coroutine[Any, Any, Any]) -> concurrent.futures.Future[Any]:
    loop = asyncio.new_event_loop()
    future = asyncio.run_coroutine_threadsafe(coroutine, loop)

    async def until_done() -> None:
        done = asyncio.Event()
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(done.set))
        await done.wait()

    def main() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(until_done())

    threading.Thread(target=main, name="spikard-background").start()
    return future


async def _tracked(coroutine: Coroutine[Any, Any, Any]) -> Any:
    task = asyncio.current_task()
    if task is not None:
        _running.add(task)
        task.add_done_callback(_running.discard)
    return await coroutine


def _coroutine(work: Coroutine[Any, Any, Any] | Callable[..., Any], args: tuple[Any, ...]) -> Coroutine[Any, Any, Any]:
    if inspect.iscoroutine(work):
        if args:
            work.close()
            raise TypeError("background.run takes arguments only with a function, not with a coroutine")
        return work
    if not callable(work):
        raise TypeError(f"background.run takes a coroutine or a function, not {type(work).__name__}")
    return call(work, *args)


def _announced(work: Any) -> list[concurrent.futures.Future[Any]]:
    return [observer(_name(work)) for observer in observers]


async def _observed(work: Callable[..., Any], running: Coroutine[Any, Any, Any]) -> None:
    """Await work, and tell observers how it ended."""
    if not observers:
        await running
        return
    ends = _announced(work)
    task = asyncio.ensure_future(running)
    task.add_done_callback(lambda ended: _put_end(ended, ends))
    await task


def _put_end(ended: Any, ends: list[concurrent.futures.Future[Any]]) -> None:
    for end in ends:
        if ended.cancelled():
            end.cancel()
        elif (fault := ended.exception()) is not None:
            end.set_exception(fault)
        else:
            end.set_result(ended.result())


def _finished(task: asyncio.Task[Any]) -> None:
    _running.discard(task)
    _report(task)


def _report(task: "asyncio.Task[Any] | concurrent.futures.Future[Any]") -> None:
    if not task.cancelled() and (fault := task.exception()) is not None:
        logger.error("background task failed", exc_info=fault)


def _name(work: Callable[..., Any]) -> str:
    return getattr(work, "__qualname__", None) or repr(work)
