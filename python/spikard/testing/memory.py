"""The test client without sockets."""

import httpcore
import httpx

from spikard.app.serving import Listening
from spikard.testing.network import MemoryBackend
from spikard.testing.session import ClientSession
from spikard.testing.transport import PoolTransport

ADDRESS = "http://testserver"


class MemoryClient(ClientSession):
    """Sends requests through the server of this process without sockets: the same bytes, the same pipeline.

    async with MemoryClient(app) as client:
        response = await client.get("/items/3")
    """

    _backend: MemoryBackend | None = None

    @property
    def base_url(self) -> str:
        """The address requests are sent to, which no network knows."""
        return ADDRESS

    def _in_memory(self) -> bool:
        return True

    def _network(self) -> httpcore.AsyncNetworkBackend:
        if self._backend is None:
            raise RuntimeError("enter the client first: `async with MemoryClient(app) as client:`")
        return self._backend

    def _transport(self, listening: Listening) -> httpx.AsyncBaseTransport:
        self._backend = MemoryBackend(listening.server)
        return PoolTransport(self._backend)

    def _address(self, listening: Listening) -> str:  # noqa: ARG002 - always the same
        return ADDRESS


__all__ = ["MemoryClient"]
