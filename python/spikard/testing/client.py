"""The test client over a loopback socket."""

from collections.abc import Mapping
from typing import Any

import httpcore
import httpx

from spikard.app.application import Spikard
from spikard.app.serving import Listening
from spikard.config import ServerConfig
from spikard.testing.session import ClientSession
from spikard.testing.transport import PoolTransport

LOOPBACK = "127.0.0.1"


class TestClient(ClientSession):
    """Serves an application on an ephemeral port of this machine, in this process.

        async with TestClient(app) as client:
            response = await client.get("/items/3")

    With a plain `with` the calls are those of `client.sync`. Answers are `httpx.Response` objects; redirects are not
    followed.
    """

    def __init__(
        self,
        app: Spikard,
        port: int = 0,
        *,
        overrides: Mapping[Any, Any] | None = None,
        base_url: str | None = None,
        raise_server_exceptions: bool = False,
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        timeout: float | None = 30.0,
    ) -> None:
        super().__init__(
            app,
            overrides=overrides,
            raise_server_exceptions=raise_server_exceptions,
            headers=headers,
            cookies=cookies,
            timeout=timeout,
        )
        self._wanted_port = port
        self._base_url = base_url
        self._bound: tuple[str, int] | None = None

    @property
    def port(self) -> int:
        """The port the server listens on."""
        return self._listening()[1]

    @property
    def base_url(self) -> str:
        """The address of the server."""
        host, port = self._listening()
        return self._base_url or f"http://{host}:{port}"

    @property
    def ws_url(self) -> str:
        """The address of the server for WebSockets."""
        return "ws" + self.base_url.removeprefix("http")

    def _listening(self) -> tuple[str, int]:
        if self._bound is None or self._serving is None:
            raise RuntimeError("the address is known inside the client: `async with TestClient(app) as client:`")
        return self._bound

    def _config(self) -> ServerConfig:
        return super()._config().copy(host=LOOPBACK, port=self._wanted_port, uds=None, proxy_protocol=False)

    def _in_memory(self) -> bool:
        return False

    def _network(self) -> httpcore.AsyncNetworkBackend:
        return httpcore.AnyIOBackend()

    def _transport(self, listening: Listening) -> httpx.AsyncBaseTransport:
        self._bound = listening.addresses[0]
        return PoolTransport()

    def _address(self, listening: Listening) -> str:
        return self._base_url or listening.urls[0]


__all__ = ["TestClient"]
