"""HTTP/2 frames that break a rule of RFC 9113 or RFC 7541: each ends its stream or its connection, never the server."""

import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from hpack import Encoder

from spikard import Spikard
from tests.served import Served

Serve = Callable[..., Served]

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM = ACK = 0x1
END_HEADERS = 0x4
PADDED = 0x8

PROTOCOL_ERROR = 0x1
FLOW_CONTROL_ERROR = 0x3
STREAM_CLOSED = 0x5
FRAME_SIZE_ERROR = 0x6
COMPRESSION_ERROR = 0x9


def frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def setting(identifier: int, value: int) -> bytes:
    return struct.pack(">HI", identifier, value)


def block(*changes: tuple[str, str], without: str = "", path: str = "/", method: str = "GET") -> bytes:
    head = [(":method", method), (":scheme", "http"), (":authority", "x"), (":path", path)]
    fields = [*(field for field in head if field[0] != without), *changes]
    return bytes(Encoder().encode(fields, huffman=False))


def request(stream: int = 1, flags: int = END_STREAM | END_HEADERS, payload: bytes | None = None) -> bytes:
    return frame(HEADERS, flags, stream, block() if payload is None else payload)


HELLO = PREFACE + frame(SETTINGS)
POST = request(flags=END_HEADERS, payload=block(("content-length", "3"), method="POST", path="/echo"))


@dataclass(frozen=True)
class Case:
    """Bytes of a client, and the errors of which the server must name one."""

    name: str
    data: bytes
    codes: frozenset[int]

    def __str__(self) -> str:
        return self.name


def case(name: str, data: bytes, *codes: int) -> Case:
    # The library below us names some faults by the general code; the connection ends all the same.
    general = {PROTOCOL_ERROR} if {FRAME_SIZE_ERROR, COMPRESSION_ERROR} & set(codes) else set()
    return Case(name, data, frozenset(codes) | general)


CASES = [
    case("data on stream 0", HELLO + frame(DATA, payload=b"x"), PROTOCOL_ERROR),
    case("headers on stream 0", HELLO + request(0), PROTOCOL_ERROR),
    case("an even stream", HELLO + request(2), PROTOCOL_ERROR),
    case("a stream number that falls", HELLO + request(5) + request(3), PROTOCOL_ERROR, STREAM_CLOSED),
    case("data on an idle stream", HELLO + frame(DATA, 0, 1, b"x"), PROTOCOL_ERROR, STREAM_CLOSED),
    case("a frame above the largest size", HELLO + POST + frame(DATA, 0, 1, bytes(16_385)), FRAME_SIZE_ERROR),
    case("settings acknowledged with content", HELLO + frame(SETTINGS, ACK, 0, setting(1, 1)), FRAME_SIZE_ERROR),
    case("settings of a wrong length", HELLO + frame(SETTINGS, 0, 0, b"12345"), FRAME_SIZE_ERROR),
    case("settings on a stream", HELLO + frame(SETTINGS, 0, 1, setting(1, 1)), PROTOCOL_ERROR),
    case("push that is neither on nor off", HELLO + frame(SETTINGS, 0, 0, setting(2, 2)), PROTOCOL_ERROR),
    case(
        "a window above its bound", HELLO + frame(SETTINGS, 0, 0, setting(4, 2**31)), FLOW_CONTROL_ERROR, PROTOCOL_ERROR
    ),
    case("frames too small", HELLO + frame(SETTINGS, 0, 0, setting(5, 100)), PROTOCOL_ERROR),
    case("frames too large", HELLO + frame(SETTINGS, 0, 0, setting(5, 2**24)), PROTOCOL_ERROR),
    case("a ping of a wrong length", HELLO + frame(PING, 0, 0, b"1234567"), FRAME_SIZE_ERROR),
    case("a ping on a stream", HELLO + frame(PING, 0, 1, b"12345678"), PROTOCOL_ERROR),
    case("a window update of nothing", HELLO + frame(WINDOW_UPDATE, 0, 0, bytes(4)), PROTOCOL_ERROR),
    case("a window update of a wrong length", HELLO + frame(WINDOW_UPDATE, 0, 0, bytes(3)), FRAME_SIZE_ERROR),
    case(
        "a window that overflows",
        HELLO + frame(WINDOW_UPDATE, 0, 0, (2**31 - 1).to_bytes(4, "big")),
        FLOW_CONTROL_ERROR,
    ),
    case("a window update of an idle stream", HELLO + frame(WINDOW_UPDATE, 0, 1, b"\0\0\0\1"), PROTOCOL_ERROR),
    case("reset of an idle stream", HELLO + frame(RST_STREAM, 0, 1, bytes(4)), PROTOCOL_ERROR),
    case("reset of stream 0", HELLO + frame(RST_STREAM, 0, 0, bytes(4)), PROTOCOL_ERROR),
    case("reset of a wrong length", HELLO + POST + frame(RST_STREAM, 0, 1, bytes(3)), FRAME_SIZE_ERROR),
    case("goaway on a stream", HELLO + frame(GOAWAY, 0, 1, bytes(8)), PROTOCOL_ERROR),
    case("continuation of nothing", HELLO + frame(CONTINUATION, END_HEADERS, 1, b""), PROTOCOL_ERROR),
    case(
        "a frame between headers and continuation",
        HELLO + request(flags=END_STREAM) + frame(PING, 0, 0, bytes(8)),
        PROTOCOL_ERROR,
    ),
    case(
        "continuation of another stream",
        HELLO + request(flags=END_STREAM) + frame(CONTINUATION, END_HEADERS, 3),
        PROTOCOL_ERROR,
    ),
    case("a push from a client", HELLO + POST + frame(PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0\2"), PROTOCOL_ERROR),
    case("an index that no table has", HELLO + request(payload=b"\xff\xff\xff\x0f"), COMPRESSION_ERROR),
    case("a header block cut short", HELLO + request(payload=b"\x00\x05ab"), COMPRESSION_ERROR),
    case(
        "padding longer than the frame",
        HELLO + POST + frame(DATA, PADDED, 1, b"\x09ab"),
        PROTOCOL_ERROR,
        FRAME_SIZE_ERROR,
    ),
    case("a name in upper case", HELLO + request(payload=block(("X-Name", "a"))), PROTOCOL_ERROR),
    case("an unknown pseudo-field", HELLO + request(payload=block((":other", "a"))), PROTOCOL_ERROR),
    case("a pseudo-field of answers", HELLO + request(payload=block((":status", "200"))), PROTOCOL_ERROR),
    case("a pseudo-field after a field", HELLO + request(payload=block(("a", "b"), (":path", "/"))), PROTOCOL_ERROR),
    case("a pseudo-field twice", HELLO + request(payload=block((":method", "GET"))), PROTOCOL_ERROR),
    case("no method", HELLO + request(payload=block(without=":method")), PROTOCOL_ERROR),
    case("no path", HELLO + request(payload=block(without=":path")), PROTOCOL_ERROR),
    case("no scheme", HELLO + request(payload=block(without=":scheme")), PROTOCOL_ERROR),
    case("an empty path", HELLO + request(payload=block(path="")), PROTOCOL_ERROR),
    case("a field of the connection", HELLO + request(payload=block(("connection", "close"))), PROTOCOL_ERROR),
    case("a coding offered that h2 has not", HELLO + request(payload=block(("te", "gzip"))), PROTOCOL_ERROR),
    case("a body longer than it says", HELLO + POST + frame(DATA, END_STREAM, 1, b"1234"), PROTOCOL_ERROR),
    case("a body shorter than it says", HELLO + POST + frame(DATA, END_STREAM, 1, b"12"), PROTOCOL_ERROR),
    case(
        "data after the end",
        HELLO + request() + frame(DATA, END_STREAM, 1, b"x"),
        STREAM_CLOSED,
        PROTOCOL_ERROR,
    ),
]

FINE = [
    ("an unknown frame", HELLO + frame(0x42, 0xFF, 0, b"anything") + request()),
    ("an unknown setting", HELLO + frame(SETTINGS, 0, 0, setting(0x4242, 7)) + request()),
    ("priority", HELLO + frame(PRIORITY, 0, 1, b"\0\0\0\0\x10") + request()),
    (
        "headers in pieces",
        HELLO + request(flags=END_STREAM, payload=block()[:3]) + frame(CONTINUATION, END_HEADERS, 1, block()[3:]),
    ),
    ("padded headers", HELLO + request(flags=END_STREAM | END_HEADERS | PADDED, payload=b"\x04" + block() + bytes(4))),
    ("trailers allowed", HELLO + request(payload=block(("te", "trailers")))),
]


def application() -> Spikard:
    app = Spikard()

    @app.get("/")
    async def root() -> str:
        return "ok"

    @app.post("/echo")
    async def echo(body: bytes) -> bytes:
        return body

    return app


def frames(connection: socket.socket) -> Iterator[tuple[int, int, int, bytes]]:
    """Kind, flags, stream and payload of what the server sends, until it closes."""
    data = b""
    while True:
        while len(data) >= 9 and len(data) >= (end := 9 + int.from_bytes(data[:3], "big")):
            yield data[3], data[4], int.from_bytes(data[5:9], "big"), data[9:end]
            data = data[end:]
        try:
            more = connection.recv(65536)
        except ConnectionError:
            return
        if not more:
            return
        data += more


def named_error(connection: socket.socket) -> int | None:
    """The first error the server names."""
    for kind, _, _, payload in frames(connection):
        if kind == RST_STREAM:
            return int.from_bytes(payload, "big")
        if kind == GOAWAY and (code := int.from_bytes(payload[4:8], "big")):
            return code
        if kind == HEADERS and b"4" in payload[:8]:
            return PROTOCOL_ERROR  # a 400 does as well (RFC 9113, 8.1.1)
    return None


@pytest.fixture(params=CASES, ids=str)
def broken(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


def test_a_broken_rule_is_named(serve: Serve, broken: Case) -> None:
    served = serve(application())
    with served.connect() as connection:
        connection.sendall(broken.data)
        code = named_error(connection)
    assert code in broken.codes
    assert served.client.get("/").status_code == 200


@pytest.mark.parametrize(("name", "data"), FINE, ids=[name for name, _ in FINE])
def test_what_is_allowed_is_answered(serve: Serve, name: str, data: bytes) -> None:
    served = serve(application())
    with served.connect() as connection:
        connection.sendall(data)
        bodies = [payload for kind, _, _, payload in first(frames(connection), DATA)]
    assert bodies[-1] == b'"ok"', name


def first(seen: Iterator[tuple[int, int, int, bytes]], kind: int) -> Iterator[tuple[int, int, int, bytes]]:
    """Frames up to the first of a kind."""
    for found in seen:
        yield found
        if found[0] == kind:
            return


def test_pings_come_back(serve: Serve) -> None:
    served = serve(application())
    with served.connect() as connection:
        connection.sendall(HELLO + frame(PING, 0, 0, b"12345678"))
        assert any((kind, flags, payload) == (PING, ACK, b"12345678") for kind, flags, _, payload in frames(connection))


def test_a_wrong_preface_ends_the_connection(serve: Serve) -> None:
    served = serve(application())
    with served.connect() as connection:
        connection.sendall(PREFACE[:-4] + b"XX\r\n" + frame(SETTINGS))
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert b"HTTP/1.1 400" in answer or answer == b""
