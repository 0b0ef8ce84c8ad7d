"""The calls of a test client for tests without an event loop: the loop runs in a thread."""

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    import httpx
    from httpx_sse import ServerSentEvent

    from spikard.testing.sse import EventReader
    from spikard.testing.websocket import WebSocketConnection

T = TypeVar("T")


class Calls(Protocol):
    """What is called here without `await`."""

    def request(self, method: str, path: str, **kwargs: Any) -> "Coroutine[Any, Any, httpx.Response]":
        """Send a request."""

    @property
    def sse(self) -> "Callable[..., AbstractAsyncContextManager[EventReader]]":
        """Read a stream of events."""

    @property
    def websocket(self) -> "Callable[..., AbstractAsyncContextManager[WebSocketConnection]]":
        """Open a WebSocket."""


class BlockingCalls:
    """`client.sync`: every call returns its answer instead of an awaitable."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def get(
        self,
        path: str,
        params: Any = None,
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> "httpx.Response":
        """Send GET."""
        return self.request("GET", path, params=params, headers=headers, cookies=cookies, **kwargs)

    def delete(
        self,
        path: str,
        params: Any = None,
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> "httpx.Response":
        """Send DELETE."""
        return self.request("DELETE", path, params=params, headers=headers, cookies=cookies, **kwargs)

    def head(
        self,
        path: str,
        params: Any = None,
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> "httpx.Response":
        """Send HEAD."""
        return self.request("HEAD", path, params=params, headers=headers, cookies=cookies, **kwargs)

    def options(
        self,
        path: str,
        params: Any = None,
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> "httpx.Response":
        """Send OPTIONS."""
        return self.request("OPTIONS", path, params=params, headers=headers, cookies=cookies, **kwargs)

    def trace(
        self,
        path: str,
        params: Any = None,
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> "httpx.Response":
        """Send TRACE."""
        return self.request("TRACE", path, params=params, headers=headers, cookies=cookies, **kwargs)

    def post(
        self,
        path: str,
        json: Any = None,
        data: Any = None,
        files: Any = None,
        params: Any = None,
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        content: Any = None,
        **kwargs: Any,
    ) -> "httpx.Response":
        """Send POST."""
        given = {"files": files, "params": params, "headers": headers, "cookies": cookies, "content": content}
        return self.request("POST", path, json=json, data=data, **given, **kwargs)

    def put(
        self,
        path: str,
        json: Any = None,
        data: Any = None,
        files: Any = None,
        params: Any = None,
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        content: Any = None,
        **kwargs: Any,
    ) -> "httpx.Response":
        """Send PUT."""
        given = {"files": files, "params": params, "headers": headers, "cookies": cookies, "content": content}
        return self.request("PUT", path, json=json, data=data, **given, **kwargs)

    def patch(
        self,
        path: str,
        json: Any = None,
        data: Any = None,
        files: Any = None,
        params: Any = None,
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        content: Any = None,
        **kwargs: Any,
    ) -> "httpx.Response":
        """Send PATCH."""
        given = {"files": files, "params": params, "headers": headers, "cookies": cookies, "content": content}
        return self.request("PATCH", path, json=json, data=data, **given, **kwargs)

    def request(self, method: str, path: str, **kwargs: Any) -> "httpx.Response":
        """Send a request."""
        return self._run(self._calls.request(method, path, **kwargs))

    @contextmanager
    def sse(self, path: str, **kwargs: Any) -> "Iterator[Iterator[ServerSentEvent]]":
        """Read a stream of events."""
        with self._entered(self._calls.sse(path, **kwargs)) as reader:
            yield iter(lambda: self._run(_next_event(reader)), None)

    @contextmanager
    def websocket(self, path: str, **kwargs: Any) -> "Iterator[BlockingWebSocket]":
        """Open a WebSocket."""
        with self._entered(self._calls.websocket(path, **kwargs)) as connection:
            yield BlockingWebSocket(connection, self._run)

    @contextmanager
    def _entered(self, manager: AbstractAsyncContextManager[T]) -> Iterator[T]:
        entered = self._run(_awaited(manager.__aenter__))
        try:
            yield entered
        finally:
            kind, fault, trace = sys.exc_info()
            self._run(_awaited(lambda: manager.__aexit__(kind, fault, trace)))

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


class BlockingWebSocket:
    """A WebSocket without `await`."""

    def __init__(self, connection: "WebSocketConnection", run: "Callable[[Coroutine[Any, Any, Any]], Any]") -> None:
        self.connection = connection
        self._run = run

    def send(self, message: str | bytes) -> None:
        """Send text or bytes."""
        self._run(self.connection.send(message))

    def recv(self) -> str | bytes:
        """The next message."""
        message: str | bytes = self._run(self.connection.recv())
        return message

    def send_json(self, value: Any) -> None:
        """Send a value as JSON."""
        self._run(self.connection.send_json(value))

    def receive_json(self) -> Any:
        """The next message, read as JSON."""
        return self._run(self.connection.receive_json())

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close, and wait for the other side to agree."""
        self._run(self.connection.close(code, reason))


async def _next_event(reader: "EventReader") -> "ServerSentEvent | None":
    try:
        return await reader.receive()
    except StopAsyncIteration:
        return None


async def _awaited(function: Callable[[], Awaitable[T]]) -> T:
    return await function()


__all__ = ["BlockingCalls"]
