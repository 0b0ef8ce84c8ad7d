"""A process that takes effects, and counts how often it was told and under how many keys: `receiver.py`.

Keys come as lines on one port, and in the header `Idempotency-Key` of requests on another. `?` as a line asks for the
counts.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable


class Receiver:
    """What was received."""

    def __init__(self) -> None:
        self.told = self.requests = 0
        self.keys: set[str] = set()

    async def lines(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a worker, or of whoever asks."""
        while line := await reader.readline():
            key = line.decode().strip()
            if key == "?":
                counts = {"deliveries": self.told, "keys": len(self.keys), "requests": self.requests}
                writer.write(json.dumps(counts).encode() + b"\n")
            else:
                self.told += 1
                self.keys.add(key)
                writer.write(b"counted\n")
        writer.close()

    async def http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Requests of one connection, as many as the client likes."""
        while head := await until(reader, b"\r\n\r\n"):
            fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
            headers = {name.lower(): value for name, value in fields.items()}
            await reader.readexactly(int(headers.get(b"content-length", 0)))
            self.told += 1
            self.requests += 1
            self.keys.add(headers[b"idempotency-key"].decode())
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()


async def until(reader: asyncio.StreamReader, end: bytes) -> bytes:
    try:
        return await reader.readuntil(end)
    except asyncio.IncompleteReadError:
        return b""


async def main() -> None:
    receiver = Receiver()
    ports = [await serve(receiver.lines), await serve(receiver.http)]
    print(json.dumps(ports), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


async def serve(handle: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> int:
    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handle(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            # A worker that was killed in the middle of a line or a request.
            writer.close()

    server = await asyncio.start_server(guarded, "127.0.0.1", 0)
    await server.start_serving()
    KEPT.append(server)
    return int(server.sockets[0].getsockname()[1])


KEPT: list[asyncio.Server] = []

if __name__ == "__main__":
    asyncio.run(main())
