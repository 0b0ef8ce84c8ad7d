"""The calls of a test client for tests without an event loop: the loop runs in a thread."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")


class Calls(Protocol):
    """What is called here without `await`."""

    def request(self, method: str, path: str, **kwargs: Any) -> "Coroutine[Any, Any, httpx.Response]":
        """Send a request."""


class BlockingCalls:
    """`client.sync`: every call returns its answer instead of an awaitable."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def get(self, path: str, **kwargs: Any) -> "httpx.Response":
        """Send GET."""
        return self.request("GET", path, **kwargs)

    def delete(self, path: str, **kwargs: Any) -> "httpx.Response":
        """Send DELETE."""
        return self.request("DELETE", path, **kwargs)

    def head(self, path: str, **kwargs: Any) -> "httpx.Response":
        """Send HEAD."""
        return self.request("HEAD", path, **kwargs)

    def options(self, path: str, **kwargs: Any) -> "httpx.Response":
        """Send OPTIONS."""
        return self.request("OPTIONS", path, **kwargs)

    def trace(self, path: str, **kwargs: Any) -> "httpx.Response":
        """Send TRACE."""
        return self.request("TRACE", path, **kwargs)

    def post(self, path: str, json: Any = None, data: Any = None, **kwargs: Any) -> "httpx.Response":
        """Send POST."""
        return self.request("POST", path, json=json, data=data, **kwargs)

    def put(self, path: str, json: Any = None, data: Any = None, **kwargs: Any) -> "httpx.Response":
        """Send PUT."""
        return self.request("PUT", path, json=json, data=data, **kwargs)

    def patch(self, path: str, json: Any = None, data: Any = None, **kwargs: Any) -> "httpx.Response":
        """Send PATCH."""
        return self.request("PATCH", path, json=json, data=data, **kwargs)

    def request(self, method: str, path: str, **kwargs: Any) -> "httpx.Response":
        """Send a request."""
        return self._run(self._calls.request(method, path, **kwargs))

    def start(self, start: Callable[[], Awaitable[None]], new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
        """Run a loop in a thread and start the server in it; what fails there comes out here."""
        loop_made = threading.Event()
        context = copy_context()

        async def main() -> None:
            self._loop = asyncio.get_running_loop()
            self._left = asyncio.Event()
            loop_made.set()
            await self._left.wait()

        def in_thread() -> None:
            with asyncio.Runner(loop_factory=new_loop) as runner:
                runner.run(main(), context=context)

        self._thread = threading.Thread(target=in_thread, name="spikard-test-client", daemon=True)
        self._thread.start()
        loop_made.wait()
        try:
            self._run(_awaited(start))
        except BaseException:
            self._leave()
            raise

    def end(self, end: Callable[[], Awaitable[None]]) -> None:
        """Stop the server, the loop and the thread."""
        try:
            self._run(_awaited(end))
        finally:
            self._leave()

    def _leave(self) -> None:
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._left.set)
            self._thread.join()

    def _run(self, coroutine: "Coroutine[Any, Any, T]") -> T:
        if self._loop is None:
            coroutine.close()
            raise RuntimeError("enter the client first: `with TestClient(app) as client:`")
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()


async def _awaited(function: Callable[[], Awaitable[T]]) -> T:
    return await function()


__all__ = ["BlockingCalls"]
