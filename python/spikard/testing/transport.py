"""httpx's way to a server: its own HTTP over a network of our choice."""

from collections.abc import AsyncIterator

import httpcore
import httpx

# What goes wrong in the connection, as users of httpx know it.
FAULTS: dict[type[Exception], type[httpx.TransportError]] = {
    httpcore.RemoteProtocolError: httpx.RemoteProtocolError,
    httpcore.LocalProtocolError: httpx.LocalProtocolError,
    httpcore.ReadTimeout: httpx.ReadTimeout,
    httpcore.WriteTimeout: httpx.WriteTimeout,
    httpcore.ReadError: httpx.ReadError,
    httpcore.WriteError: httpx.WriteError,
    httpcore.PoolTimeout: httpx.PoolTimeout,
}


class PoolTransport(httpx.AsyncBaseTransport):
    """A pool of HTTP/1.1 connections; unlike httpx's own it takes a network, and loads no certificates."""

    def __init__(self, network: httpcore.AsyncNetworkBackend | None = None) -> None:
        self._pool = httpcore.AsyncConnectionPool(network_backend=network)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        url = request.url
        core_request = httpcore.Request(
            method=request.method,
            url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        try:
            response = await self._pool.handle_async_request(core_request)
        except tuple(FAULTS) as fault:
            raise translated(fault) from fault
        return httpx.Response(
            status_code=response.status,
            headers=response.headers,
            stream=PoolBody(response),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._pool.aclose()


class PoolBody(httpx.AsyncByteStream):
    """The body of an answer."""

    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for part in self._response.aiter_stream():
                yield part
        except tuple(FAULTS) as fault:
            raise translated(fault) from fault

    async def aclose(self) -> None:
        """Give the connection back."""
        await self._response.aclose()


def translated(fault: Exception) -> httpx.TransportError:
    """The exception of httpx for one of httpcore."""
    known = next((kind for source, kind in FAULTS.items() if isinstance(fault, source)), httpx.TransportError)
    return known(str(fault))


__all__ = ["PoolTransport"]
