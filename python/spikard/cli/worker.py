"""A process that serves under the supervisor: `python -m spikard.cli.worker TARGET`.

The conversation: the supervisor sends `start`; we say `hello`, import the application and say `loaded`; it sends
`listen` with a socket; we start up and say `ready`. Later it may send `drain`. The end of the channel means that the
supervisor is gone, and that we stop, too.
"""

import asyncio
import logging
import os
import random
import signal
import sys
import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from spikard import __version__
from spikard.app.serving import Listening, Stop, run_owned, serve, share_counts
from spikard.cli import target
from spikard.cli.control import PROTOCOL, Control
from spikard.errors import ConfigError, RouteError

if TYPE_CHECKING:
    from spikard.app import Spikard
    from spikard.config import ServerConfig

EXIT_CONFIG = 2
EXIT_STARTUP = 3
LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
# Fields of the configuration that the supervisor acts upon.
REPORTED = ("host", "port", "uds", "workers", "backlog", "shutdown_timeout", "worker_max_rss", "worker_lifetime")
# How often the number of served requests is compared with its limit, in seconds.
COUNT_INTERVAL = 0.2
# How much longer than its drain a worker may live once the supervisor is gone, in seconds.
GRACE = 5
# Code that leads to the user's code in every traceback, and says nothing about its fault.
OUR_CODE = tuple(
    str(Path(module.__file__ or "").parent) + os.sep
    for module in (asyncio, sys.modules["spikard"], sys.modules["importlib"])
)
CONFIG_CODE = str(Path(sys.modules["spikard.config"].__file__ or "").parent) + os.sep


def main() -> int:
    """Serve until told to stop; gives the exit code."""
    control = Control.adopt()
    command = control.receive() if control else None
    if control is None or command is None:
        print("spikard.cli.worker is started by spikard-server; use `spikard serve`", file=sys.stderr)
        return EXIT_CONFIG
    # The terminal interrupts all of its processes; ours are stopped by the supervisor, in order.
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    start, descriptors = command
    # What was there until now is only read by the supervisor in case the interpreter cannot get this far.
    for descriptor, place in zip(descriptors, (2, 0), strict=False):
        os.dup2(descriptor, place)
        os.close(descriptor)
    for descriptor in descriptors[2:3]:
        share_counts(descriptor)
    control.send("hello", protocol=PROTOCOL, version=__version__, executable=sys.executable)
    worker = Worker(control)
    try:
        return worker.run(start)
    except (ConfigError, RouteError) as fault:
        if worker.ready:
            raise
        control.send("failed", kind="config", message=str(fault))
        return EXIT_CONFIG
    except (Exception, SystemExit) as fault:
        if worker.ready:
            raise
        if (setting := refused_setting(fault)) is not None:
            control.send("failed", kind="config", message=setting)
            return EXIT_CONFIG
        message = f"the application failed to start: {type(fault).__qualname__}: {fault}"
        control.send("failed", kind="startup", message=message, traceback=user_traceback(fault))
        return EXIT_STARTUP


@dataclass(slots=True, eq=False)
class Worker:
    """The life of this process."""

    control: Control
    ready: bool = False
    stop: Stop = field(default_factory=Stop)
    task: asyncio.Task[None] | None = None
    config: "ServerConfig | None" = None

    def run(self, start: Mapping[str, Any]) -> int:
        """Import the application, serve it, return when that has ended in order."""
        app = target.load(start["target"], start["app_dir"])
        config = configured(app, start)
        set_up_logging(config.log_level)
        self.config = config
        self.control.send("loaded", config={name: plain(getattr(config, name)) for name in REPORTED})
        command = self.control.receive()
        if command is None:
            return 0
        listen, descriptors = command
        run_owned(self.serve(app, config, descriptors[0] if descriptors else listen["fd"]))
        return 0

    async def serve(self, app: "Spikard", config: "ServerConfig", descriptor: int) -> None:
        """Serve on a listening socket until the supervisor or a signal ends it."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.end)
        loop.add_reader(self.control.fileno(), self.on_command)
        self.task = asyncio.create_task(serve(app, config, fd=descriptor, ready=self.on_ready, stop=self.stop))
        try:
            # Cancelled only by `end`: a start-up called off in order.
            with suppress(asyncio.CancelledError):
                await self.task
        finally:
            loop.remove_reader(self.control.fileno())

    def end(self, linger: float = 0.0) -> None:
        """Stop: finish the requests, or call the start-up off."""
        if self.ready:
            self.stop.request(linger)
        elif self.task is not None:
            self.task.cancel()

    def on_command(self) -> None:
        """The supervisor has said something, or is gone."""
        command = self.control.receive()
        if command is None:
            asyncio.get_running_loop().remove_reader(self.control.fileno())
            # Nobody is left to kill us should the drain hang, so the system has to.
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(int(self.config.shutdown_timeout if self.config else 0) + GRACE)
            self.end()
        elif command[0]["cmd"] == "drain":
            self.end(command[0]["linger"])

    def on_ready(self, listening: Listening) -> None:
        """Requests are accepted from now on."""
        self.ready = True
        self.control.send("ready", addresses=list(listening.urls))
        if self.config is not None and self.config.max_requests:
            limit = self.config.max_requests + random.randint(0, self.config.max_requests_jitter)  # noqa: S311
            self.count(listening, limit)

    def count(self, listening: Listening, limit: int) -> None:
        """Ask for a replacement once so many requests have been served."""
        if listening.server.requests >= limit:
            self.control.send("recycle", reason=f"{listening.server.requests} requests served")
        else:
            asyncio.get_running_loop().call_later(COUNT_INTERVAL, self.count, listening, limit)


def configured(app: "Spikard", start: Mapping[str, Any]) -> "ServerConfig":
    """The application's configuration with what the command line says otherwise."""
    if start["debug"]:
        app.debug = True
    overrides = dict(start["config"])
    if overrides.get("uds") is None and {"host", "port"} & overrides.keys():
        overrides["uds"] = None
    try:
        return app.config.copy(**overrides)
    except (TypeError, ValueError) as fault:
        raise ConfigError(f"the configuration is not valid: {fault}") from fault


def set_up_logging(level: str) -> None:
    """Write log records to standard error, unless the application has arranged something itself."""
    if not logging.getLogger().handlers:
        logging.basicConfig(format=LOG_FORMAT, level=level.upper())
    logging.getLogger("spikard").setLevel(level.upper())


def plain(value: object) -> object:
    """A value as JSON knows it."""
    return value if value is None or isinstance(value, int | float | str) else str(value)


def refused_setting(fault: BaseException) -> str | None:
    """What to say when the application's code gave a configuration class a value that it refuses."""
    if not isinstance(fault, ValueError):
        return None
    frames = traceback.extract_tb(fault.__traceback__)
    outside = [frame for frame in frames if not frame.filename.startswith((*OUR_CODE, "<"))]
    if not outside or not frames[-1].filename.startswith(CONFIG_CODE):
        return None
    return f"{outside[-1].filename}:{outside[-1].lineno}: {fault}"


def user_traceback(fault: BaseException) -> str:
    """The traceback from where the user's own code begins."""
    return "".join(traceback.format_exception(type(fault), fault, user_frames(fault.__traceback__)))


def user_frames(frames: TracebackType | None) -> TracebackType | None:
    """Leave out the frames that led to the user's code."""
    while frames is not None:
        file = frames.tb_frame.f_code.co_filename
        if not file.startswith((*OUR_CODE, "<frozen importlib")):
            break
        frames = frames.tb_next
    return frames


if __name__ == "__main__":
    sys.exit(main())
