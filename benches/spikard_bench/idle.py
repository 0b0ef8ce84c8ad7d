"""Idle connections: what one kept connection costs a server in memory, after one answered request."""

import resource
import socket
import time

from spikard_bench.process import Process

REQUEST = b"GET /hello HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
# Time for allocators and timers of the server to come to rest before its memory is read.
SETTLE_SECONDS = 0.5


class IdleError(Exception):
    """The connections could not be opened, or did not stay."""


def per_connection(process: Process, count: int) -> float:
    """Open `count` connections, send one request on each, keep them: resident bytes each."""
    raise_limit(count + 200)
    time.sleep(SETTLE_SECONDS)
    before = process.rss_bytes()
    streams: list[socket.socket] = []
    try:
        for _ in range(count):
            stream = socket.create_connection(("127.0.0.1", process.port), timeout=10)
            streams.append(stream)
            stream.sendall(REQUEST)
            if not stream.recv(4096).startswith(b"HTTP/1.1 200"):
                raise IdleError(f"connection {len(streams)} got no answer")
        time.sleep(SETTLE_SECONDS)
        kept = process.rss_bytes()
        closed = sum(1 for stream in streams if is_closed(stream))
        if closed:
            raise IdleError(f"{closed} of {count} connections were closed while idle")
    except OSError as error:
        raise IdleError(f"after {len(streams)} connections: {error}") from error
    finally:
        for stream in streams:
            stream.close()
    return (kept - before) / count


def is_closed(stream: socket.socket) -> bool:
    stream.setblocking(False)
    try:
        return stream.recv(65536, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False


def raise_limit(descriptors: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < descriptors:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(descriptors, hard), hard))
