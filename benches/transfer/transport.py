"""A transport of one body over one connection, by hand: what the client spends must not hide what the server does."""

import json
import socket
import time

BLOCK = 1 << 20


class TransferError(Exception):
    """The server's answer was not the one that was due."""


def upload(port: int, size: int) -> float:
    """Send `size` bytes to `/up`, which counts them; the seconds until its answer."""
    block = bytes(BLOCK)
    began = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port), timeout=120) as stream:
        head = f"POST /up HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: {size}\r\n"
        stream.sendall(f"{head}Content-Type: application/octet-stream\r\n\r\n".encode())
        for _ in range(size // BLOCK):
            stream.sendall(block)
        answer = b""
        while more := stream.recv(65536):
            answer += more
    seconds = time.perf_counter() - began
    _, _, body = answer.partition(b"\r\n\r\n")
    try:
        counted = json.loads(body)["bytes"]
    except (ValueError, KeyError) as error:
        raise TransferError(f"/up answered {answer[:80]!r}") from error
    if counted != size:
        raise TransferError(f"/up counted {counted} of {size} bytes")
    return seconds


def download(port: int, path: str, size: int) -> float:
    """Read an answer of at least `size` bytes to its end; the seconds it took."""
    buffer = bytearray(BLOCK)
    began = time.perf_counter()
    count = 0
    first = b""
    with socket.create_connection(("127.0.0.1", port), timeout=120) as stream:
        stream.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        while received := stream.recv_into(buffer):
            if not count:
                first = bytes(buffer[: min(received, 80)])
            count += received
    if not first.startswith(b"HTTP/1.1 200") or count < size:
        raise TransferError(f"{path} answered {first!r} and {count} of {size} bytes")
    return time.perf_counter() - began
