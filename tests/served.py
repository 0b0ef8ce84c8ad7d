"""An application served in a thread of this process, and the ways to talk to it."""

import asyncio
import enum
import socket
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from spikard import Spikard
from spikard._spikard import Server
from spikard.app import Listening, Stop, new_event_loop
from spikard.app.serving import serve

T = TypeVar("T")
HOST = "127.0.0.1"


class Mode(enum.Enum):
    """How requests and the event loop come together."""

    INLINE = "inline"
    EMBEDDED = "embedded"

    def new_loop(self) -> asyncio.AbstractEventLoop:
        """A loop of the kind that leads to this mode."""
        return new_event_loop() if self is Mode.INLINE else asyncio.new_event_loop()


class Served:
    """Serves an application while entered."""

    def __init__(self, app: Spikard, mode: Mode, *, debug: bool = False) -> None:
        self.app = app
        self._mode = mode
        self._debug = debug
        self._ready: Future[tuple[str, int]] = Future()
        self._server: Server | None = None
        self._thread = threading.Thread(target=self._main, name=f"served-{mode.value}")

    def __enter__(self) -> Self:
        self._thread.start()
        self.url, self.port = self._ready.result(20)
        self.client = httpx.Client(
            base_url=self.url, transport=httpx.HTTPTransport(verify=False), trust_env=False, timeout=20
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()
        self.stop()

    def stop(self) -> None:
        """Stop serving and wait for the end."""
        # It may have ended by itself, at the latest while it is asked.
        with suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self._stop.request)
        self._thread.join(20)
        assert not self._thread.is_alive(), "the server did not stop"

    @property
    def requests(self) -> int:
        """How many requests have been answered."""
        assert self._server is not None
        return self._server.requests

    def call(self, function: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine on the server's loop."""
        return asyncio.run_coroutine_threadsafe(function(), self.loop).result(20)

    def connect(self) -> socket.socket:
        """A plain connection to the server."""
        connection = socket.create_connection((HOST, self.port), timeout=20)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def exchange(self, data: bytes) -> bytes:
        """Send bytes on a connection of their own; everything that comes back until the server closes it."""
        with self.connect() as connection:
            connection.sendall(data)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def _main(self) -> None:
        try:
            with asyncio.Runner(debug=self._debug, loop_factory=self._mode.new_loop) as runner:
                self.loop = runner.get_loop()
                runner.run(self._serve())
        except BaseException as fault:
            if self._ready.done():
                raise
            self._ready.set_exception(fault)

    async def _serve(self) -> None:
        self._stop = Stop()
        config = self.app.config.copy(host=HOST, port=0, shutdown_timeout=min(5, self.app.config.shutdown_timeout))
        try:
            await serve(self.app, config, ready=self._on_ready, stop=self._stop)
        finally:
            # The native server belongs to this thread, to its end.
            self._server = None

    def _on_ready(self, listening: Listening) -> None:
        self._server = listening.server
        self._ready.set_result((listening.urls[0], listening.addresses[0][1]))
