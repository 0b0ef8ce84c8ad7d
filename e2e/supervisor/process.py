"""A server process under test: its lines on standard error, its workers, its end."""

import http.client
import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Self

PATIENCE = 20.0


def until(condition: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Poll until a condition holds."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"still not true after {patience} s: {what}")
        time.sleep(0.01)


def alive(pid: int) -> bool:
    """Whether a process exists and isn't a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}


class Process:
    """A running `spikard-server`."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self.popen = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **(env or {})},
            cwd=cwd,
            pass_fds=pass_fds,
        )
        self.lines: list[str] = []
        self.output: list[str] = []
        self._silent = False
        self._changed = threading.Condition()
        streams = ((self.popen.stderr, self.lines), (self.popen.stdout, self.output))
        self._readers = [threading.Thread(target=self._read, args=stream, daemon=True) for stream in streams]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: IO[str], lines: list[str]) -> None:
        with stream:
            for line in stream:
                with self._changed:
                    lines.append(line.rstrip("\n"))
                    self._changed.notify_all()
        with self._changed:
            self._silent = True
            self._changed.notify_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.popen.poll() is None:
            # Twice is the way to end it at once, workers included.
            self.popen.send_signal(signal.SIGTERM)
            self.popen.send_signal(signal.SIGINT)
            try:
                self.popen.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()

    def line(self, pattern: str, after: int = 0) -> re.Match[str]:
        """Wait for a line that matches, from the line with number `after` on."""

        def found() -> re.Match[str] | None:
            matches = (re.search(pattern, line) for line in self.lines[after:])
            return next((match for match in matches if match), None)

        with self._changed:
            self._changed.wait_for(lambda: found() or self._silent, PATIENCE)
            match = found()
        if match is None:
            raise AssertionError(f"no line matches {pattern!r} in:\n" + "\n".join(self.lines))
        return match

    def end(self) -> int:
        """Wait for the process to end; gives its exit code. All of its lines have arrived then."""
        try:
            code = self.popen.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError("still running, having said:\n" + "\n".join(self.lines)) from None
        for reader in self._readers:
            reader.join(PATIENCE)
        return code

    def signal(self, number: int) -> None:
        self.popen.send_signal(number)

    def ready(self) -> int:
        """Wait until requests are accepted; gives the port."""
        return int(self.line(r"^listening on http://127\.0\.0\.1:(\d+)")[1])

    def get(self, path: str, port: int | None = None) -> str:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.ready(), timeout=PATIENCE)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            assert response.status == 200, response.read()
            return response.read().decode()
        finally:
            connection.close()

    def worker(self) -> int:
        """The process id of the worker that answers."""
        return int(self.get("/pid"))

    def workers(self) -> set[int]:
        """The process ids of all workers."""
        pids = set()
        for status in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = status.read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[1]) == self.popen.pid and fields[0] not in {"Z", "X"}:
                pids.add(int(status.parent.name))
        return pids


Start = Callable[..., Process]


def refused(port: int) -> bool:
    """Whether nobody listens on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


class Load:
    """Clients that send one request after the other, half of them on connections that they keep."""

    def __init__(self, port: int, clients: int = 4) -> None:
        self.port = port
        self.answers: list[str] = []
        self.failures: list[str] = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(index % 2 == 0,)) for index in range(clients)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(PATIENCE)

    def _run(self, keep: bool) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        while not self._over.is_set():
            try:
                connection.request("GET", "/pid")
                response = connection.getresponse()
                self.answers.append(response.read().decode())
                if response.status != 200:
                    self.failures.append(f"status {response.status}")
            except (OSError, http.client.HTTPException) as fault:
                self.failures.append(repr(fault))
                connection.close()
            if not keep:
                connection.close()
        connection.close()

    def more(self, answers: int = 200) -> None:
        """Wait for so many more answers."""
        goal = len(self.answers) + answers
        until(lambda: len(self.answers) >= goal, f"{answers} more answers, failures: {self.failures[:3]}")
