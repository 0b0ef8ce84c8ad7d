"""`app.run()`: the process around `serve`, with signals, the ready line and exit codes."""

import asyncio
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from spikard.app.serving import Listening, Stop, run_owned, serve
from spikard.config import ServerConfig
from spikard.errors import ConfigError

if TYPE_CHECKING:
    from spikard.app.application import Spikard

EXIT_STARTUP = 3
EXIT_FORCED = 130
WORKER = "spikard.cli.worker"
SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run(app: "Spikard", config: ServerConfig, *, reload: bool = False) -> None:
    """Serve in this process, or hand over to `spikard-server` where several workers or reloading are asked for."""
    _check_place()
    if config.workers > 1 or reload:
        # Only here: what it takes to find a program on disk is not needed to serve.
        from spikard.app.handover import become_supervisor

        become_supervisor(app, config, reload=reload)
    run_here(app, config)


def run_here(app: "Spikard", config: ServerConfig) -> None:
    """Serve in this process until a signal; exits with 3 when the start-up fails."""
    life = ProcessLife()
    try:
        run_owned(life.main(app, config))
    except ConfigError as fault:
        if life.started:
            raise
        _fail(f"spikard: {fault}")
    except Exception:
        if life.started:
            raise
        traceback.print_exc()
        _fail("spikard: the application did not start")


class ProcessLife:
    """What signals do to the one server of this process: the first one stops it, the second one forces."""

    def __init__(self) -> None:
        self.started = False
        self._stop = Stop()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    async def main(self, app: "Spikard", config: ServerConfig) -> None:
        """Serve until a signal."""
        serving = serve(app, config, ready=self._on_ready, stop=self._stop)
        self._task = asyncio.create_task(serving, name="spikard-serve")
        with self._signals():
            try:
                await self._task
            except asyncio.CancelledError:
                # A signal before the server was ready: the start-up has been called off, in order.
                if not self._stopping:
                    raise

    def _on_ready(self, listening: Listening) -> None:
        self.started = True
        for url in listening.urls:
            _say(f"listening on {url}")

    def _on_signal(self) -> None:
        if self._stopping:
            sys.stdout.flush()
            sys.stderr.flush()
            # Not sys.exit: a hook or a thread that hangs is the very reason to force.
            os._exit(EXIT_FORCED)
        self._stopping = True
        if self.started:
            self._stop.request()
        elif self._task is not None:
            self._task.cancel()

    @contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        try:
            for number in SIGNALS:
                loop.add_signal_handler(number, self._on_signal)
        except NotImplementedError:
            # Platforms whose loop cannot: handle them the classic way, and wake the loop.
            for number in SIGNALS:
                signal.signal(number, lambda *_: loop.call_soon_threadsafe(self._on_signal))
            yield
            return
        try:
            yield
        finally:
            for number in SIGNALS:
                loop.remove_signal_handler(number)


def _check_place() -> None:
    if getattr(getattr(sys.modules["__main__"], "__spec__", None), "name", None) == WORKER:
        # A supervisor below each worker would start workers that start supervisors.
        msg = 'app.run() is called while a worker imports the application; put it below `if __name__ == "__main__":`'
        raise ConfigError(msg)
    if threading.current_thread() is not threading.main_thread():
        msg = "app.run() belongs in the main thread; elsewhere use `await app.serve()` in an event loop"
        raise RuntimeError(msg)
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    msg = "app.run() starts its own event loop; inside a running one use `await app.serve()`"
    raise RuntimeError(msg)


def _fail(message: str) -> NoReturn:
    _say(message)
    raise SystemExit(EXIT_STARTUP)


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
