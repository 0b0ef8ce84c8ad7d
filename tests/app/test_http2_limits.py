"""HTTP/2 under attack: streams reset as fast as they open, headers without end, too many streams at once."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import h2.config
import h2.connection
import h2.errors
import h2.events
from hyperframe.frame import ContinuationFrame, GoAwayFrame, HeadersFrame, RstStreamFrame

from spikard import Spikard
from spikard.config import ServerConfig
from tests.served import Served

Serve = Callable[..., Served]
E = TypeVar("E", bound=h2.events.Event)

HEAD = [(":method", "GET"), (":scheme", "http"), (":authority", "x"), (":path", "/")]


class Peer:
    """An HTTP/2 client that does what it is told, also what it should not."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        self.h2.initiate_connection()
        self.flush()

    def flush(self) -> None:
        self.socket.sendall(self.h2.data_to_send())

    def events(self) -> Iterator[h2.events.Event]:
        """What comes until the server closes the connection."""
        while True:
            try:
                data = self.socket.recv(65536)
            except ConnectionError:
                return
            if not data:
                return
            yield from self.h2.receive_data(data)
            self.flush()

    def wait_for(self, kind: type[E]) -> E:
        """The first event of a kind."""
        for event in self.events():
            if isinstance(event, kind):
                return event
        raise AssertionError(f"the connection ended without {kind.__name__}")


@contextmanager
def peer(served: Served) -> Iterator[Peer]:
    with served.connect() as connection:
        yield Peer(connection)


def application(**settings: object) -> Spikard:
    app = Spikard(ServerConfig(**settings))  # type: ignore[arg-type]
    app.state.running = 0
    app.state.idle = asyncio.Event()

    @app.get("/")
    async def root() -> str:
        return "ok"

    @app.get("/waits")
    async def waits() -> str:
        app.state.running += 1
        app.state.idle.clear()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            app.state.running -= 1
            if not app.state.running:
                app.state.idle.set()
        return "never"

    return app


def test_streams_reset_as_fast_as_they_open(serve: Serve) -> None:
    app = application()
    served = serve(app)
    head = [*HEAD[:3], (":path", "/waits")]
    with peer(served) as attacker:
        try:
            for _ in range(20_000):
                stream = attacker.h2.get_next_available_stream_id()
                attacker.h2.send_headers(stream, head, end_stream=True)
                attacker.h2.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
                attacker.flush()
                if stream % 2_000 == 1:
                    assert served.client.get("/").status_code == 200
        except OSError:
            pass  # cut off: as good an end as any
        assert served.client.get("/").status_code == 200

    async def settled() -> int:
        if app.state.running:
            await app.state.idle.wait()
        return int(app.state.running)

    # Whatever was begun has been cancelled: nothing of the attack is left.
    assert served.call(settled) == 0


def test_headers_without_end(serve: Serve) -> None:
    served = serve(application())
    with peer(served) as attacker:
        attacker.socket.sendall(HeadersFrame(1, b"\x82").serialize())
        sent = 0
        try:
            while sent < 64 * 1024 * 1024:
                # A literal field that is not indexed, of 16 KB, again and again.
                field = b"\x00\x01a\x7f\x81\x7e" + b"x" * 16_256
                sent += attacker.socket.send(ContinuationFrame(1, field[:16_384]).serialize())
        except OSError:
            pass
        assert sent < 64 * 1024 * 1024, "the server takes headers without end"
        assert served.client.get("/").status_code == 200


def test_a_header_list_that_is_too_large_is_431(serve: Serve) -> None:
    served = serve(application(max_header_size=8192))
    with peer(served) as client:
        client.h2.send_headers(1, [*HEAD, *((f"x-{number}", "y" * 500) for number in range(30))], end_stream=True)
        client.flush()
        answer = client.wait_for(h2.events.ResponseReceived)
    assert (b":status", b"431") in [(bytes(name), bytes(value)) for name, value in answer.headers]


def test_streams_above_the_limit_are_refused(serve: Serve) -> None:
    served = serve(application())
    head = [*HEAD[:3], (":path", "/waits")]
    with peer(served) as client:
        client.wait_for(h2.events.RemoteSettingsChanged)
        limit = client.h2.remote_settings.max_concurrent_streams
        for number in range(limit):
            client.h2.send_headers(1 + 2 * number, head, end_stream=True)
        client.flush()
        # The library would not send one more by itself.
        block = client.h2.encoder.encode(head)
        client.socket.sendall(HeadersFrame(1 + 2 * limit, block, flags=["END_HEADERS", "END_STREAM"]).serialize())
        data = b""
        reset = RstStreamFrame(1 + 2 * limit, error_code=h2.errors.ErrorCodes.REFUSED_STREAM).serialize()
        while reset not in data:
            more = client.socket.recv(65536)
            assert more, "the connection ended"
            data += more
    assert served.client.get("/").status_code == 200


def frames(data: bytes) -> list[int]:
    """The types of the frames in `data` (RFC 9113, 4.1)."""
    types, at = [], 0
    while at + 9 <= len(data):
        types.append(data[at + 3])
        at += 9 + int.from_bytes(data[at : at + 3], "big")
    return types


def test_an_idle_connection_is_told_goodbye_and_closed(serve: Serve) -> None:
    served = serve(application(keep_alive_timeout=0.2, header_read_timeout=0.2))
    with peer(served) as client:
        # It answers nothing, not even the ping that asks whether it has heard.
        data = b"".join(iter(lambda: client.socket.recv(65536), b""))
    assert GoAwayFrame.type in frames(data)
