"""The Redis of the case `redis`: the one in REDIS_URL, else one of our own on the load's core, else the usual port."""

import os
import shutil
import socket
import subprocess
import time
from typing import Self
from urllib.parse import urlsplit

from spikard_bench.case import REDIS_KEY, REDIS_VALUE
from spikard_bench.load import pinned
from spikard_bench.process import free_port, listening


class RedisServer:
    """Use as a context manager. `url` is where it is; `available` tells whether it answers."""

    def __init__(self, core: int) -> None:
        self.url = os.environ.get("REDIS_URL", "")
        self.available = False
        self._core = core
        self._popen: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        binary = shutil.which("redis-server")
        if not self.url and binary:
            port = free_port()
            self.url = f"redis://127.0.0.1:{port}"
            self._popen = subprocess.Popen(
                [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                preexec_fn=pinned(self._core),
            )
            limit = time.monotonic() + 10
            while not listening(port) and time.monotonic() < limit:
                time.sleep(0.01)
        self.url = self.url or "redis://127.0.0.1:6379"
        self.available = self._set_key()
        return self

    def __exit__(self, *_: object) -> None:
        if self._popen is not None:
            self._popen.terminate()
            self._popen.wait()

    def _set_key(self) -> bool:
        """SET the bench's key, spoken by hand: the harness has no dependencies."""
        parts = urlsplit(self.url)
        words = [["SET", REDIS_KEY, REDIS_VALUE]]
        if parts.password:
            words.insert(0, ["AUTH", *([parts.username] if parts.username else []), parts.password])
        if parts.path.strip("/"):
            words.insert(-1, ["SELECT", parts.path.strip("/")])
        try:
            with socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 6379), timeout=5) as stream:
                return all(ask(stream, word) for word in words)
        except OSError:
            return False


def ask(stream: socket.socket, words: list[str]) -> bool:
    """Send one command; true when Redis says OK."""
    parts = [f"*{len(words)}\r\n", *(f"${len(word.encode())}\r\n{word}\r\n" for word in words)]
    stream.sendall("".join(parts).encode())
    return stream.recv(64).startswith(b"+OK")
