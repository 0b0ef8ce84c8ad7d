"""Stands in for `python -m spikard.cli.worker`: speaks the supervisor's protocol and serves a little HTTP.

Started as an interpreter (`--python`), it takes the last argument as the target, which says how to behave:

- `ok`: serve `/pid`, `/gate` (answers once the file named in FAKE_GATE exists) and `/grow` (takes 100 MiB of memory)
- `file=PATH`: the same, and `/answer` gives the content of that file; a file with `oops` in it cannot be loaded
- `config`, `startup`, `dies`, `mute`, `old`: the ways to fail
- `second`: ready the first time, a failing start-up ever after (FAKE_MARK remembers)
- `stubborn`: ready, but deaf to every request to stop
"""

import asyncio
import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

VERSION = os.environ["FAKE_VERSION"]
CLOSE = b"Connection: close\r\n"


class Channel:
    def __init__(self) -> None:
        self.socket = socket.socket(fileno=os.dup(0))

    def send(self, event: str, **fields: Any) -> None:
        self.socket.sendall(json.dumps({"event": event, **fields}).encode() + b"\n")

    def receive(self) -> tuple[dict[str, Any], list[int]]:
        data, descriptors, _, _ = socket.recv_fds(self.socket, 65536, 4)
        if not data:
            sys.exit(0)
        assert data.endswith(b"\n")
        assert data.count(b"\n") == 1
        return json.loads(data), descriptors


class Site:
    """A server whose connections can be drained."""

    def __init__(self, answer: str) -> None:
        self.answer = answer
        self.draining = asyncio.Event()
        self.linger = 0.0
        self.busy: set[asyncio.Task[None]] = set()
        self.idle: set[asyncio.Task[None]] = set()
        self.ballast = b""

    async def connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            while True:
                self.idle.add(task)
                head = await reader.readuntil(b"\r\n\r\n")
                self.idle.discard(task)
                self.busy.add(task)
                body = (await self.respond(head.split()[1].decode())).encode()
                close = CLOSE if self.draining.is_set() else b""
                writer.write(b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s" % (close, len(body), body))
                await writer.drain()
                self.busy.discard(task)
                if close:
                    break
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            self.idle.discard(task)
            self.busy.discard(task)
            writer.close()

    async def respond(self, path: str) -> str:
        if path == "/gate":
            gate = os.environ["FAKE_GATE"]
            while not os.path.exists(gate):  # noqa: ASYNC110, ASYNC240, PTH110
                await asyncio.sleep(0.01)
        if path == "/grow":
            self.ballast = os.urandom(100 << 20)
        return self.answer if path == "/answer" else str(os.getpid())

    async def serve(self, channel: Channel, listener: socket.socket, stubborn: bool) -> None:
        loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self.connection, sock=listener)

        def drain(linger: float = 0.0) -> None:
            if not stubborn:
                self.linger = linger
                self.draining.set()

        def command() -> None:
            drain(channel.receive()[0]["linger"])

        loop.add_signal_handler(signal.SIGTERM, drain)
        loop.add_reader(channel.socket.fileno(), command)
        channel.send("ready", addresses=[])
        await self.draining.wait()
        loop.remove_reader(listener.fileno())
        for _ in range(10):
            # Connections that asyncio has accepted but not yet handed to us; closing the server would cut them.
            await asyncio.sleep(0)
        server.close()
        deadline = loop.time() + self.linger
        while self.busy or (self.idle and loop.time() < deadline):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        for task in list(self.idle):
            task.cancel()


def load(target: str) -> str:
    """What `/answer` says; or the fault this target is about."""
    if not target.startswith("file="):
        return target
    text = Path(target.removeprefix("file=")).read_text()
    if "oops" in text:
        raise ValueError(text)
    return text


def main(target: str) -> int:
    if target == "mute":
        print("Traceback, of no interest:\nModuleNotFoundError: No module named 'spikard'", file=sys.stderr)
        return 1
    channel = Channel()
    start, (stderr, stdin, _shared_memory) = channel.receive()
    os.dup2(stderr, 2)
    os.dup2(stdin, 0)
    channel.send("hello", protocol=1, version="0.0.1" if target == "old" else VERSION, executable=sys.executable)
    if target == "old":
        signal.pause()
    signal.signal(signal.SIGINT, lambda *_: None)
    if target == "config":
        channel.send("failed", kind="config", message="no module named 'x';\ncheck it")
        return 2
    if target == "dies":
        os.kill(os.getpid(), signal.SIGSEGV)
    try:
        answer = load(target)
    except ValueError as fault:
        channel.send("failed", kind="startup", message=f"it fails: {fault}", traceback="Traceback: here\n")
        return 3
    channel.send("loaded", config=start["config"])
    listen, descriptors = channel.receive()
    fd = descriptors[0] if descriptors else listen["fd"]
    if target == "startup" or (target == "second" and Path(os.environ["FAKE_MARK"]).exists()):
        channel.send("failed", kind="startup", message="it fails", traceback="Traceback: here\n")
        return 3
    if target == "second":
        Path(os.environ["FAKE_MARK"]).touch()
    asyncio.run(serve(channel, socket.socket(fileno=fd), answer, stubborn=target == "stubborn"))
    return 0


async def serve(channel: Channel, listener: socket.socket, answer: str, *, stubborn: bool) -> None:
    await Site(answer).serve(channel, listener, stubborn)


if __name__ == "__main__":
    sys.exit(main(sys.argv[-1]))
