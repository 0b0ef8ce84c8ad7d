"""From start-up to drained, in one coroutine: what `app.serve`, a worker process and the test client have in common."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikard import background
from spikard._spikard import Server, share_memory
from spikard.app.arrangement import arranged
from spikard.app.lifespan import life
from spikard.app.loop import driver_of, new_event_loop
from spikard.app.mounting import lifespans_of
from spikard.app.weaving import container_life, prepare
from spikard.config import ServerConfig
from spikard.errors import ConfigError

if TYPE_CHECKING:
    from spikard.app.application import Spikard

logger = logging.getLogger("spikard.error")


@dataclass(slots=True, eq=False)
class Stop:
    """A request to stop serving; set from the loop's own thread."""

    event: asyncio.Event = field(default_factory=asyncio.Event)
    linger: float = 0.0

    def request(self, linger: float = 0.0) -> None:
        """Begin to stop; for `linger` seconds idle connections may still send one more request."""
        self.linger = linger
        self.event.set()


@dataclass(frozen=True, slots=True, eq=False)
class Listening:
    """Where a server that is ready can be reached."""

    server: Server
    addresses: tuple[tuple[str, int], ...] = ()
    uds: str | None = None
    scheme: str = "http"

    @property
    def urls(self) -> tuple[str, ...]:
        """One address per listener, as a person would type it."""
        if self.uds is not None:
            return (f"unix:{self.uds}",)
        return tuple(f"{self.scheme}://{f'[{host}]' if ':' in host else host}:{port}" for host, port in self.addresses)


Ready = Callable[[Listening], object] | asyncio.Event


async def serve(
    app: "Spikard",
    config: ServerConfig,
    *,
    fd: int | None = None,
    ready: Ready | None = None,
    stop: Stop | None = None,
    reuse_port: bool = False,
    memory: bool = False,
) -> None:
    """Start up, listen, serve until `stop` is requested (or the task is cancelled), drain, shut down.

    `ready` is set, or called with a `Listening`, once requests are accepted. `fd` is a listening socket to use in place
    of the configured address; with `memory` there is no listener, only `Server.connect_memory`.
    Faults of the start-up come out as they are; an address that cannot be bound is a `ConfigError`.
    """
    stop = stop or Stop()
    loop = asyncio.get_running_loop()
    background.worker_loop.set(loop)
    async with (
        container_life(app),
        app.channels.running(),
        life(app, app._lifecycle, app._lifespan),
        lifespans_of(app._mounts),
    ):
        await prepare(app)
        with ExitStack() as stack:
            core = stack.enter_context(arranged(app, config, loop))
            server = core.server = Server(app._native, config, loop, driver_of(loop))
            stack.callback(server.close)
            listening = Listening(server) if memory else _listen(server, config, fd=fd, reuse_port=reuse_port)
            if fd is None and listening.uds is not None:
                stack.enter_context(_socket_file(Path(listening.uds)))
            server.start()
            if isinstance(ready, asyncio.Event):
                ready.set()
            elif ready is not None:
                ready(listening)
            try:
                await stop.event.wait()
            finally:
                # Also on cancellation: whoever cancels gets the same orderly end, cancelling again cuts it short.
                await _drain(app, server, config, stop.linger)


def share_counts(descriptor: int) -> None:
    """Count rate limits and figures in a file that the other workers have, too; the descriptor is taken over."""
    share_memory(descriptor)


def run_owned(main: Coroutine[Any, Any, None], *, debug: bool = False) -> None:
    """Run a coroutine on a loop of our own, which serves requests on its thread."""
    with asyncio.Runner(debug=debug or None, loop_factory=new_event_loop) as runner:
        runner.run(main)


def _listen(server: Server, config: ServerConfig, *, fd: int | None, reuse_port: bool) -> Listening:
    scheme = "http" if getattr(config, "tls", None) is None else "https"
    if fd is not None:
        return _listen_fd(server, fd, scheme)
    if config.uds is not None:
        try:
            server.listen_unix(config.uds)
        except OSError as fault:
            raise ConfigError(_refusal(f"unix:{config.uds}", fault)) from fault
        return Listening(server, uds=config.uds)
    try:
        addresses = server.listen_tcp(config.host, config.port, reuse_port=reuse_port)
    except OSError as fault:
        raise ConfigError(_refusal(f"{config.host}:{config.port}", fault)) from fault
    return Listening(server, addresses=tuple(addresses), scheme=scheme)


def _listen_fd(server: Server, fd: int, scheme: str) -> Listening:
    try:
        name = server.listen_fd(fd)
    except OSError as fault:
        raise ConfigError(_refusal(f"descriptor {fd}", fault)) from fault
    host, _, port = name.removeprefix("http://").rpartition(":")
    if port.isdecimal() and not name.startswith("unix:"):
        return Listening(server, addresses=((host.strip("[]"), int(port)),), scheme=scheme)
    return Listening(server, uds=name.removeprefix("unix:"))


@contextmanager
def _socket_file(path: Path) -> Iterator[None]:
    """Remove the file of a Unix socket at the end, unless another server has put its own there."""
    own = path.stat().st_ino
    try:
        yield
    finally:
        with suppress(FileNotFoundError):
            if path.stat().st_ino == own:
                path.unlink()


def _refusal(address: str, fault: OSError) -> str:
    return f"cannot listen on {address}: {fault.strerror or fault}"


async def _drain(app: "Spikard", server: Server, config: ServerConfig, linger: float) -> None:
    loop = asyncio.get_running_loop()
    drained = loop.create_future()

    def done() -> None:
        if not drained.done():
            drained.set_result(None)

    server.stop(float(config.shutdown_timeout) if config.graceful_shutdown else 0.0, linger, done)
    try:
        await app._lifecycle.stop_early(app)
        await drained
    except asyncio.CancelledError:
        server.abort()
        raise
    left = await background.drain(config.background.drain_timeout)
    if left:
        logger.warning("%d background tasks were still running at shutdown and have been cancelled", left)
