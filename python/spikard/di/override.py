"""Another provider for a while: what tests put in place of the real thing."""

import asyncio
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from spikard.di.exits import close, close_now, wait_needed
from spikard.di.key import key_of
from spikard.di.layer import Layer
from spikard.di.registration import Registration

if TYPE_CHECKING:
    from spikard.di.container import Container

# How long the end of a `with` waits for another thread's loop to clean up, in seconds.
CLOSE_SECONDS = 10.0
_closing: "set[asyncio.Task[None]]" = set()


class Override:
    """In force between `__enter__` and `__exit__`, for everybody in this process."""

    def __init__(self, container: "Container", registration: Registration) -> None:
        self._container = container
        self._registration = registration
        self._layer: Layer | None = None

    def __enter__(self) -> Self:
        self._container.check_open()
        changes = {key_of(self._registration.key): self._registration}
        self._layer = Layer(self._container, self._container.layer, changes)
        self._container.switch(self._layer)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        exits = self._left()
        if not wait_needed(exits):
            close_now(exits, None)
            return
        own = self._container.loop
        try:
            running = asyncio.get_running_loop()
        except RuntimeError:
            running = None
        if own is not None and own is not running and own.is_running():
            asyncio.run_coroutine_threadsafe(close(exits, None), own).result(CLOSE_SECONDS)
        elif running is not None:
            # A plain `with` cannot wait in a loop; `async with` does.
            task = running.create_task(close(exits, None))
            _closing.add(task)
            task.add_done_callback(_closing.discard)
        else:
            asyncio.run(close(exits, None))

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await close(self._left(), None)

    def _left(self) -> list[Any]:
        """End it; what has been built under it, to be closed."""
        layer, self._layer = self._layer, None
        if layer is None:
            return []
        self._container.remove(layer)
        return layer.exits


__all__ = ["Override"]
