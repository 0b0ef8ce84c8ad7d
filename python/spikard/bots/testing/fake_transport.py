"""The fake platform without sockets: a transport of the HTTP client, which calls it in this very process."""

import asyncio
from urllib.parse import urlsplit

import httpx

from spikard.bots.testing.fake_platform import FakePlatform
from spikard.bots.testing.fake_wire import read_request


class FakeTransport(httpx.AsyncBaseTransport):
    """Brings the requests of a client to a platform; there is nothing else that it could reach."""

    def __init__(self, platform: FakePlatform) -> None:
        self.platform = platform

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The platform's answer. Raises the client's own errors for connections that break and for time that is up."""
        if request.url.host != urlsplit(self.platform.base_url).hostname:
            raise httpx.ConnectError(f"a test has no network: {request.url.host} is not the fake server")
        body = await request.aread()
        kind = request.headers.get("content-type", "").encode("latin-1")
        asked = read_request(request.method.encode(), request.url.raw_path, kind, body)
        try:
            async with asyncio.timeout(request.extensions.get("timeout", {}).get("read")):
                answer = await self.platform.answer(asked)
        except TimeoutError:
            raise httpx.ReadTimeout("the fake server took longer than the bot waits") from None
        if answer.dropped:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
        headers = {"content-type": answer.content_type, **answer.headers}
        return httpx.Response(answer.status, headers=headers, content=answer.body)

    def client(self) -> httpx.AsyncClient:
        """A client whose requests come here."""
        return httpx.AsyncClient(transport=self)


__all__ = ["FakeTransport"]
