"""A process: one running server, pinned to its core, with its CPU time and memory; paused while others are measured."""

import contextlib
import os
import resource
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

from spikard_bench.environment import BENCHES
from spikard_bench.exchange import Exchange, ExchangeError
from spikard_bench.server import Server

TICKS = os.sysconf("SC_CLK_TCK")
START_LIMIT = 20.0
STOP_LIMIT = 5.0


class StartError(Exception):
    """The server did not come up; the text holds the end of what it wrote."""


class Cores:
    """Which core serves and which one loads. With a single core both are the same, and the figures mean little."""

    def __init__(self) -> None:
        cores = sorted(os.sched_getaffinity(0))
        self.server = cores[0]
        self.load = cores[1] if len(cores) > 1 else cores[0]

    @property
    def apart(self) -> bool:
        return self.server != self.load


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Process:
    """A started server. Use as a context manager: it is ended with everything it started."""

    def __init__(self, server: Server, core: int, redis_url: str) -> None:
        self.server = server
        self.port = server.port or free_port()
        self.log = BENCHES / ".tools" / "log" / f"{server.name}.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._core = core
        self._environment = {**os.environ, "REDIS_URL": redis_url, "PYTHONUNBUFFERED": "1"}
        self._environment.pop("PYTHONPATH", None)
        self._popen: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Start and wait for the first answer; gives the seconds this took."""
        if self.server.port is not None and listening(self.port):
            raise StartError(f"port {self.port} is taken, and {self.server.name} can use no other")
        began = time.perf_counter()
        with self.log.open("wb") as log:
            self._popen = subprocess.Popen(
                self.server.command(self.port),
                cwd=BENCHES / "apps",
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=self._confine,
            )
        while time.perf_counter() - began < START_LIMIT:
            if self._popen.poll() is not None:
                raise StartError(f"ended with {self._popen.returncode}: {self._said()}")
            if listening(self.port):
                with contextlib.suppress(ExchangeError, OSError), Exchange(self.port) as exchange:
                    if exchange.send("GET", "/hello").status == 200:
                        return time.perf_counter() - began
            time.sleep(0.0005)
        raise StartError(f"no answer within {START_LIMIT:.0f} s: {self._said()}")

    def _confine(self) -> None:
        os.sched_setaffinity(0, {self._core})
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    def _said(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it wrote nothing"

    def tree(self) -> list[int]:
        """The process and its descendants that live."""
        if self._popen is None:
            return []
        children: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    parent = int(stat_fields(int(entry.name))[1])
                    children.setdefault(parent, []).append(int(entry.name))
        found = [self._popen.pid]
        for pid in found:
            found.extend(children.get(pid, []))
        return found

    def cpu_seconds(self) -> float:
        """User and system time of the tree, with that of descendants which ended."""
        ticks = 0
        for pid in self.tree():
            with contextlib.suppress(OSError):
                ticks += sum(int(field) for field in stat_fields(pid)[11:15])
        return ticks / TICKS

    def rss_bytes(self) -> int:
        """Resident memory of the tree; pages shared between its processes count once for each."""
        total = 0
        for pid in self.tree():
            with contextlib.suppress(OSError):
                for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                    if line.startswith("VmRSS:"):
                        total += int(line.split()[1]) * 1024
        return total

    def alive(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        """Ask to end, then make it end."""
        if self._popen is None:
            return
        self.resume()
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(STOP_LIMIT)
        self._signal(signal.SIGKILL)
        self._popen.wait()
        self._popen = None

    def _signal(self, number: signal.Signals) -> None:
        if self._popen is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._popen.pid, number)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def stat_fields(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name, which may hold blanks and brackets."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
