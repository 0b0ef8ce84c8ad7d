"""What the test clients have in common: life of the server, and the calls."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack
from contextvars import Token
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

from spikard.app.application import Spikard
from spikard.app.loop import new_event_loop
from spikard.app.serving import Listening, Stop, serve
from spikard.config import ServerConfig
from spikard.datastructures import State
from spikard.di.registration import Provide
from spikard.routing import current
from spikard.routing.router import Router
from spikard.testing.blocking import BlockingCalls
from spikard.testing.sse import EventReader, read_events
from spikard.testing.websocket import WebSocketConnection, open_websocket

try:
    import httpcore
    import httpx
except ModuleNotFoundError as fault:
    raise ImportError("spikard.testing needs httpx: pip install 'spikard[test]'") from fault

# How long requests that still run may take once the client is left, in seconds.
LEAVE_SECONDS = 1


class ClientSession(ABC):
    """Serves an application while the client is entered, and sends requests to it."""

    __test__ = False

    def __init__(
        self,
        app: Spikard,
        *,
        overrides: Mapping[Any, Any] | None = None,
        raise_server_exceptions: bool = False,
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        timeout: float | None = 30.0,
    ) -> None:
        self.app = app
        self._overrides = dict(overrides or {})
        self._overriding = ExitStack()
        self._raises = raise_server_exceptions
        self._headers = dict(headers or {})
        self._cookies = dict(cookies or {})
        self._timeout = timeout
        self._http: httpx.AsyncClient | None = None
        self._serving: asyncio.Task[None] | None = None
        self._stop: Stop | None = None
        self._token: Token[Router | None] | None = None
        self._faults: list[BaseException] = []
        self._blocking: BlockingCalls | None = None

    @property
    def state(self) -> State:
        """The state of the application."""
        return self.app.state

    @property
    def sync(self) -> BlockingCalls:
        """The calls without `await`, after a plain `with`."""
        if self._blocking is None:
            raise RuntimeError("client.sync is there inside `with client:`; inside `async with` await the calls")
        return self._blocking

    async def get(
        self,
        path: str,
        params: Any = None,
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> httpx.Response:
        """Send GET; keywords as for `request`."""
        return await self.request("GET", path, params=params, headers=headers, cookies=cookies, **kwargs)

    async def delete(
        self,
        path: str,
        params: Any = None,
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> httpx.Response:
        """Send DELETE; keywords as for `request`."""
        return await self.request("DELETE", path, params=params, headers=headers, cookies=cookies, **kwargs)

    async def head(
        self,
        path: str,
        params: Any = None,
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> httpx.Response:
        """Send HEAD; keywords as for `request`."""
        return await self.request("HEAD", path, params=params, headers=headers, cookies=cookies, **kwargs)

    async def options(
        self,
        path: str,
        params: Any = None,
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> httpx.Response:
        """Send OPTIONS; keywords as for `request`."""
        return await self.request("OPTIONS", path, params=params, headers=headers, cookies=cookies, **kwargs)

    async def trace(
        self,
        path: str,
        params: Any = None,
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> httpx.Response:
        """Send TRACE; keywords as for `request`."""
        return await self.request("TRACE", path, params=params, headers=headers, cookies=cookies, **kwargs)

    async def post(
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
    ) -> httpx.Response:
        """Send POST; further keywords as for `request`."""
        given = {"files": files, "params": params, "headers": headers, "cookies": cookies, "content": content}
        return await self.request("POST", path, json=json, data=data, **given, **kwargs)

    async def put(
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
    ) -> httpx.Response:
        """Send PUT; further keywords as for `request`."""
        given = {"files": files, "params": params, "headers": headers, "cookies": cookies, "content": content}
        return await self.request("PUT", path, json=json, data=data, **given, **kwargs)

    async def patch(
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
    ) -> httpx.Response:
        """Send PATCH; further keywords as for `request`."""
        given = {"files": files, "params": params, "headers": headers, "cookies": cookies, "content": content}
        return await self.request("PATCH", path, json=json, data=data, **given, **kwargs)

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        data: Any = None,
        content: Any = None,
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> httpx.Response:
        """Send a request; `params`, `files` and `timeout` go to httpx as they are.

        `data` is a mapping to be sent as a form, or text or bytes to be sent raw.
        """
        client = self._entered()
        if isinstance(data, str | bytes):
            content, data = data, None
        elif isinstance(data, list | tuple):
            # A media type that is given wins, however it is spelled.
            headers = httpx.Headers(headers)
            headers.setdefault("content-type", "application/x-www-form-urlencoded")
            content, data = urlencode(data, doseq=True), None
        if cookies is not None:
            headers = {**(headers or {}), "cookie": self._cookie_header(client, cookies)}
        faults = len(self._faults)
        response = await client.request(method, path, json=json, data=data, content=content, headers=headers, **kwargs)
        if self._raises and len(self._faults) > faults:
            raise self._faults[-1]
        return response

    def sse(self, path: str, *, method: str = "GET", **kwargs: Any) -> AbstractAsyncContextManager[EventReader]:
        """Read a stream of events; further keywords as httpx takes them.

        async with client.sse("/prices") as events:
            async for event in events:
                print(event.event, event.json())
        """
        return read_events(self._entered(), method, path, **kwargs)

    def websocket(
        self,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        subprotocols: Sequence[str] | None = None,
        compression: bool = True,
    ) -> AbstractAsyncContextManager[WebSocketConnection]:
        """Open a WebSocket.

        async with client.websocket("/chat") as ws:
            await ws.send("hello")
            print(await ws.recv())

        A server that refuses raises `websockets.InvalidStatus`, whose `response` is its answer.
        """
        client = self._entered()
        merged = {**self._headers, **(headers or {})}
        cookie = self._cookie_header(client, cookies or {})
        if cookie:
            merged.setdefault("cookie", cookie)
        url = str(client.base_url.join(path).copy_merge_params(params or {}))
        return open_websocket(
            self._network(),
            "ws" + url.removeprefix("http"),
            headers=merged,
            subprotocols=subprotocols,
            compression=compression,
            timeout=self._timeout,
        )

    async def __aenter__(self) -> Self:
        await self._start()
        self._token = current.enter(self.app)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._token is not None:
            current.leave(self._token)
            self._token = None
        await self._end()

    def __enter__(self) -> Self:
        self._blocking = BlockingCalls(self)
        try:
            self._blocking.start(self._start, new_event_loop)
        except BaseException:
            self._blocking = None
            raise
        self._token = current.enter(self.app)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._token is not None:
            current.leave(self._token)
            self._token = None
        blocking, self._blocking = self.sync, None
        blocking.end(self._end)

    async def _start(self) -> None:
        if self._serving is not None:
            raise RuntimeError("this client is entered already")
        self._override()
        try:
            await self._serve()
        except BaseException:
            self._overriding.close()
            raise

    def _override(self) -> None:
        """Put what the test brings in place of what the application has, from the very start."""
        container = self.app.container
        if self._overrides and container.is_closed:
            container.reopen()
        for key, value in self._overrides.items():
            given = {"provider": value} if isinstance(value, Provide) else {"value": value}
            self._overriding.enter_context(container.override(key, **given))

    async def _serve(self) -> None:
        ready: asyncio.Future[Listening] = asyncio.get_running_loop().create_future()
        stop = Stop()
        serving = asyncio.create_task(
            serve(self.app, self._config(), ready=ready.set_result, stop=stop, memory=self._in_memory()),
            name="spikard-test-server",
        )
        try:
            waiting: list[asyncio.Future[Any]] = [serving, ready]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            serving.cancel()
            await asyncio.wait({serving})
            raise
        if not ready.done():
            # Ended before it was ready: what failed in the start-up comes out here.
            await serving
            raise RuntimeError("the application stopped before it was ready")
        self._serving, self._stop = serving, stop
        self.app._fault_listeners.append(self._faults.append)
        self._http = httpx.AsyncClient(
            transport=self._transport(ready.result()),
            base_url=self._address(ready.result()),
            headers=self._headers,
            cookies=self._cookies,
            timeout=self._timeout,
            trust_env=False,
        )

    async def _end(self) -> None:
        if self._serving is None or self._stop is None:
            return
        serving, self._serving = self._serving, None
        self.app._fault_listeners.remove(self._faults.append)
        if self._http is not None:
            http, self._http = self._http, None
            await http.aclose()
        self._stop.request()
        try:
            await serving
        finally:
            self._overriding.close()

    def _config(self) -> ServerConfig:
        return self.app.config.copy(workers=1, shutdown_timeout=min(self.app.config.shutdown_timeout, LEAVE_SECONDS))

    def _entered(self) -> httpx.AsyncClient:
        if self._http is None:
            raise RuntimeError("enter the client first: `async with TestClient(app) as client:`")
        return self._http

    @staticmethod
    def _cookie_header(client: httpx.AsyncClient, cookies: Mapping[str, str]) -> str:
        merged = {cookie.name: cookie.value or "" for cookie in client.cookies.jar} | dict(cookies)
        return "; ".join(f"{name}={value}" for name, value in merged.items())

    @abstractmethod
    def _in_memory(self) -> bool: ...

    @abstractmethod
    def _network(self) -> httpcore.AsyncNetworkBackend: ...

    @abstractmethod
    def _transport(self, listening: Listening) -> httpx.AsyncBaseTransport: ...

    @abstractmethod
    def _address(self, listening: Listening) -> str: ...


__all__ = ["ClientSession"]
