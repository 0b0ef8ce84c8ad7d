"""A memory stream of the server as the network an HTTP client works on."""
# ruff: noqa: ARG002 - the signatures are httpcore's

import asyncio
import ssl
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Self, TypeVar

import httpcore

from spikard._spikard import MemoryStream, Server

T = TypeVar("T")


class MemoryBackend(httpcore.AsyncNetworkBackend):
    """Connects to the one server there is, whatever the address."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Open a connection in memory."""
        return MemoryConnection(self._server.connect_memory())

    async def sleep(self, seconds: float) -> None:
        """Wait before another attempt."""
        await asyncio.sleep(seconds)


class MemoryConnection(httpcore.AsyncNetworkStream):
    """One connection, with results awaited that the native stream gives to callbacks."""

    def __init__(self, stream: MemoryStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        """Read what is there, empty at the end."""

        def start(done: Callable[[bytes | None], None]) -> None:
            self._stream.read(max_bytes, done)

        data = await _result(start, timeout, httpcore.ReadTimeout)
        if data is None:
            raise httpcore.ReadError("the connection in memory broke")
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Write everything."""
        if not buffer:
            return

        def start(done: Callable[[bool], None]) -> None:
            self._stream.write(bytes(buffer), done)

        if not await _result(start, timeout, httpcore.WriteTimeout):
            raise httpcore.WriteError("the server has closed the connection")

    async def aclose(self) -> None:
        """Close both directions."""
        self._stream.close()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
    ) -> httpcore.AsyncNetworkStream:
        """Refuse: nothing leaves the process."""
        raise httpcore.UnsupportedProtocol("there is no TLS without a network")

    def get_extra_info(self, info: str) -> Any:
        """Know nothing of sockets."""
        return None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


async def _result(start: Callable[[Callable[[T], None]], None], seconds: float | None, late: type[Exception]) -> T:
    future: asyncio.Future[T] = asyncio.get_running_loop().create_future()

    def done(result: T) -> None:
        if not future.done():
            future.set_result(result)

    start(done)
    try:
        async with asyncio.timeout(seconds):
            return await future
    except TimeoutError as fault:
        raise late from fault


__all__ = ["MemoryBackend"]
