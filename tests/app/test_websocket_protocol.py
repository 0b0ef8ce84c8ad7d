"""The rules of RFC 6455 and RFC 7692, byte for byte: the cases that the Autobahn suite is known for."""

import random
import struct
import zlib
from collections.abc import Iterator

import pytest

from spikard import Spikard, WebSocket
from tests.app.raw_websocket import (
    BINARY,
    CLOSE,
    FIN,
    HANDSHAKE,
    PING,
    PONG,
    RSV1,
    TEXT,
    RawWebSocket,
    close,
    fragments,
    frame,
)
from tests.served import Mode, Served

LIMIT = 2**20


@pytest.fixture(scope="module", params=Mode, ids=lambda mode: mode.value)
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    """A server that echoes."""
    app = Spikard()

    @app.websocket("/", subprotocols=["v2", "v1"])
    async def echo(ws: WebSocket) -> None:
        await ws.accept()
        async for message in ws:
            await ws.send(message)

    @app.websocket("/plain", compression=False, max_message_size=100)
    async def plain(message: bytes) -> bytes:
        return message

    with Served(app, request.param) as served:
        yield served


@pytest.fixture
def raw(served: Served) -> Iterator[RawWebSocket]:
    """A fresh connection."""
    with RawWebSocket(served) as connection:
        yield connection


# 1: framing.


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 128, 65535, 65536, 65537, LIMIT])
@pytest.mark.parametrize("kind", [TEXT, BINARY])
def test_lengths(raw: RawWebSocket, kind: int, length: int) -> None:
    payload = b"*" * length
    raw.send(frame(FIN | kind, payload))
    received = raw.next()
    assert (received.first, received.payload) == (FIN | kind, payload)


@pytest.mark.parametrize("step", [1, 3, 997])
def test_frames_in_pieces(raw: RawWebSocket, step: int) -> None:
    payload = bytes(range(256)) * 8
    raw.send_slowly(frame(FIN | BINARY, payload) + frame(FIN | TEXT, b"end"), step)
    assert raw.next().payload == payload
    assert raw.next().payload == b"end"


def test_frames_that_come_with_the_handshake(served: Served) -> None:
    with served.connect() as connection:
        lines = ["GET / HTTP/1.1", *(f"{name}: {value}" for name, value in HANDSHAKE.items()), "", ""]
        connection.sendall("\r\n".join(lines).encode() + frame(FIN | TEXT, b"early"))
        received = b""
        while not received.endswith(b"\x81\x05early"):
            received += connection.recv(65536)
        connection.sendall(close(1000))
        assert b"".join(iter(lambda: connection.recv(65536), b"")) == b"\x88\x02\x03\xe8"


@pytest.mark.parametrize("mask", [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x01\x02\x03\x04"])
def test_masks(raw: RawWebSocket, mask: bytes) -> None:
    raw.send(frame(FIN | TEXT, b"masked text", mask=mask))
    assert raw.next().payload == b"masked text"


# 2: pings and pongs.


@pytest.mark.parametrize("payload", [b"", b"Hello", bytes(range(125))])
def test_pings_are_answered(raw: RawWebSocket, payload: bytes) -> None:
    raw.send(frame(FIN | PING, payload))
    received = raw.next()
    assert (received.first, received.payload) == (FIN | PONG, payload)


def test_many_pings_and_unasked_pongs(raw: RawWebSocket) -> None:
    raw.send(frame(FIN | PONG, b"unasked"), *(frame(FIN | PING, b"%d" % number) for number in range(10)))
    assert [raw.next().payload for _ in range(10)] == [b"%d" % number for number in range(10)]
    raw.send(close(1000))
    assert raw.rest() == [(FIN | CLOSE, b"\x03\xe8")]


# 3, 4: what is reserved; masks and lengths. Each ends the connection with 1002.

WRONG = {
    **{f"reserved bits {bits:03b}": frame(FIN | bits << 4 | TEXT, b"x") for bits in (1, 2, 3)},
    **{f"reserved bits {bits:03b} in a ping": frame(FIN | bits << 4 | PING) for bits in range(1, 8)},
    **{f"opcode {opcode}": frame(FIN | opcode) for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)},
    "no mask": frame(FIN | TEXT, b"x", masked=False),
    "a ping without a mask": frame(FIN | PING, masked=False),
    "a long ping": frame(FIN | PING, b"x" * 126),
    "a long close": frame(FIN | CLOSE, b"\x03\xe8" + b"x" * 124),
    "a ping in fragments": frame(PING, b"x"),
    "a close in fragments": frame(CLOSE, b"\x03\xe8"),
    "a continuation of nothing": frame(FIN, b"x"),
    "a fragment of nothing": frame(0, b"x"),
    "a message within a message": frame(TEXT, b"x") + frame(FIN | TEXT, b"x"),
    "a bytes message within a text": frame(TEXT, b"x") + frame(BINARY, b"x"),
    "a continuation after the end": fragments(TEXT, [b"a", b"b"]) + frame(FIN, b"c"),
    "a length not in its shortest form": b"\x81\xfe\x00\x05" + b"\0\0\0\0hello",
    "a wide length not in its shortest form": b"\x81\xff" + struct.pack("!Q", 65535) + b"\0\0\0\0",
    "a length beyond all bounds": b"\x82\xff\x80" + b"\0" * 7 + b"\0\0\0\0",
    "half a close code": frame(FIN | CLOSE, b"\x03"),
    "a compressed continuation": frame(TEXT, b"x") + frame(FIN | RSV1, b"x"),
    **{
        f"close code {code}": close(code)
        for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)
    },
}


@pytest.mark.parametrize("data", WRONG.values(), ids=WRONG.keys())
def test_what_breaks_the_rules_ends_the_connection(raw: RawWebSocket, data: bytes) -> None:
    raw.send(frame(FIN | TEXT, b"before"))
    assert raw.next().payload == b"before"
    raw.send(data, frame(FIN | TEXT, b"after"))
    assert raw.close_code() == 1002


def test_a_compressed_frame_without_the_extension(served: Served) -> None:
    with RawWebSocket(served, "/plain", {"Sec-WebSocket-Extensions": "permessage-deflate"}) as raw:
        assert "sec-websocket-extensions" not in raw.answer.headers
        raw.send(frame(FIN | RSV1 | TEXT, b"x"))
        assert raw.close_code() == 1002


# 5: fragments.


@pytest.mark.parametrize("kind", [TEXT, BINARY])
@pytest.mark.parametrize("pieces", [[b"a", b"b"], [b"", b"", b""], [b"", b"middle", b""], [b"x"] * 100])
def test_fragments(raw: RawWebSocket, kind: int, pieces: list[bytes]) -> None:
    raw.send(fragments(kind, pieces))
    received = raw.next()
    assert (received.first, received.payload) == (FIN | kind, b"".join(pieces))


@pytest.mark.parametrize("step", [1, 1000])
def test_control_frames_between_fragments(raw: RawWebSocket, step: int) -> None:
    raw.send_slowly(fragments(TEXT, [b"a", b"b", b"c"], frame(FIN | PING, b"p") + frame(FIN | PONG)), step)
    received = [raw.next() for _ in range(3)]
    assert [(one.first, one.payload) for one in received] == [(FIN | PONG, b"p")] * 2 + [(FIN | TEXT, b"abc")]


# 6: UTF-8.

TEXTS = [
    "",
    "Hello-µ@ßöäüàá-UTF-8!!",
    "κόσμε",
    "\x00",
    "\x7f",
    "\u07ff",
    "\uffff",
    "\U00010000",
    "\U0010ffff",
    "\ufeff",
]
NOT_TEXTS = {
    "a lonely continuation": b"\x80",
    "two of them": b"\xbf\x80",
    "a start without continuation": b"\xc0 ",
    "an end in the middle": b"\xce\xba\xe1\xbd",
    "an overlong slash": b"\xc0\xaf",
    "an overlong null": b"\xe0\x80\x80",
    "a surrogate": b"\xed\xa0\x80",
    "beyond the last character": b"\xf4\x90\x80\x80",
    "five bytes": b"\xf8\x88\x80\x80\x80",
    "impossible bytes": b"\xfe\xff",
    "text, then a surrogate": "κόσμε".encode() + b"\xed\xa0\x80edited",
}


@pytest.mark.parametrize("text", TEXTS, ids=repr)
def test_text(raw: RawWebSocket, text: str) -> None:
    data = text.encode()
    raw.send(frame(FIN | TEXT, data), fragments(TEXT, [data[:1], *(data[n : n + 1] for n in range(1, len(data)))]))
    assert [raw.next().payload, raw.next().payload] == [data, data]


@pytest.mark.parametrize("data", NOT_TEXTS.values(), ids=NOT_TEXTS.keys())
def test_what_is_not_utf_8(raw: RawWebSocket, data: bytes) -> None:
    raw.send(frame(FIN | BINARY, data))
    assert raw.next().payload == data
    raw.send(frame(FIN | TEXT, data))
    assert raw.close_code() == 1007


@pytest.mark.parametrize("data", NOT_TEXTS.values(), ids=NOT_TEXTS.keys())
def test_what_is_not_utf_8_in_pieces(raw: RawWebSocket, data: bytes) -> None:
    raw.send(fragments(TEXT, [data[n : n + 1] for n in range(len(data))]))
    assert raw.close_code() == 1007


def test_a_fragment_that_nothing_can_mend_is_refused_at_once(raw: RawWebSocket) -> None:
    # The message is not over, and would not be.
    raw.send(frame(TEXT, "κόσμε".encode() + b"\xf4\x90"))
    assert raw.close_code() == 1007


def test_a_character_over_two_fragments(raw: RawWebSocket) -> None:
    raw.send(fragments(TEXT, [b"\xf4\x8f", b"", b"\xbf\xbf"]))
    assert raw.next().payload == "\U0010ffff".encode()


# 7: the end.


@pytest.mark.parametrize(
    "code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]
)
def test_a_close_is_answered_with_its_code(raw: RawWebSocket, code: int) -> None:
    raw.send(close(code, b"reason"))
    assert raw.rest() == [(FIN | CLOSE, struct.pack("!H", code))]


def test_a_close_without_a_code(raw: RawWebSocket) -> None:
    raw.send(frame(FIN | CLOSE))
    assert raw.rest() == [(FIN | CLOSE, b"")]


def test_a_close_with_the_longest_reason(raw: RawWebSocket) -> None:
    raw.send(close(1000, "ü".encode() * 61 + b"x"))
    assert raw.close_code() == 1000


def test_a_close_reason_that_is_not_utf_8(raw: RawWebSocket) -> None:
    raw.send(close(1000, b"\xce\xba\xe1"))
    assert raw.close_code() == 1007


def test_nothing_is_heard_after_a_close(raw: RawWebSocket) -> None:
    raw.send(close(1000), frame(FIN | TEXT, b"after"), frame(FIN | PING), close(1001))
    assert raw.rest() == [(FIN | CLOSE, b"\x03\xe8")]


def test_messages_before_a_close_are_answered_if_there_is_time(raw: RawWebSocket) -> None:
    raw.send(frame(FIN | TEXT, b"one"))
    assert raw.next().payload == b"one"
    raw.send(close(4000))
    assert raw.close_code() == 4000


# 9: limits.


def test_a_message_above_the_limit(raw: RawWebSocket) -> None:
    raw.send(b"\x82\xff" + struct.pack("!Q", LIMIT + 1) + b"\0\0\0\0")
    assert raw.close_code() == 1009


def test_fragments_above_the_limit(served: Served) -> None:
    with RawWebSocket(served, "/plain") as raw:
        raw.send(fragments(BINARY, [b"x" * 50, b"x" * 50]))
        assert len(raw.next().payload) == 100
        raw.send(fragments(BINARY, [b"x" * 50, b"x" * 50, b"x"]))
        assert raw.close_code() == 1009


# 12, 13: permessage-deflate.


def deflated(data: bytes, final: int = zlib.Z_SYNC_FLUSH, level: int = 9) -> bytes:
    compressor = zlib.compressobj(level, wbits=-15)
    compressed = compressor.compress(data) + compressor.flush(final)
    return compressed.removesuffix(b"\0\0\xff\xff") if final == zlib.Z_SYNC_FLUSH else compressed + b"\0"


def inflated(data: bytes) -> bytes:
    return zlib.decompressobj(wbits=-15).decompress(data + b"\0\0\xff\xff")


@pytest.fixture
def squeezed(served: Served) -> Iterator[RawWebSocket]:
    """A connection with compression."""
    with RawWebSocket(served, "/", {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"}) as raw:
        assert raw.answer.headers["sec-websocket-extensions"] == (
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
        )
        yield raw


@pytest.mark.parametrize("length", [0, 1, 255, 256, 1000, 70_000, LIMIT])
def test_compressed_messages(squeezed: RawWebSocket, length: int) -> None:
    data = (b"tea and more tea; " * (length // 18 + 1))[:length]
    squeezed.send(frame(FIN | RSV1 | TEXT, deflated(data)))
    received = squeezed.next()
    if length < 256:
        assert (received.first, received.payload) == (FIN | TEXT, data)
    else:
        assert received.first == FIN | RSV1 | TEXT
        assert len(received.payload) < length / 2
        assert inflated(received.payload) == data


def test_messages_of_all_kinds_mixed(squeezed: RawWebSocket) -> None:
    texts = [b"first " * 100, b"second", b"third " * 50]
    small = deflated(texts[2])
    squeezed.send(
        frame(FIN | RSV1 | TEXT, deflated(texts[0])),
        frame(FIN | TEXT, texts[1]),
        frame(RSV1 | TEXT, small[:5]),
        frame(FIN | PING, b"in between"),
        frame(FIN, small[5:]),
        frame(FIN | RSV1 | BINARY, deflated(texts[0], zlib.Z_FINISH)),
        frame(FIN | RSV1 | BINARY, deflated(texts[0], level=0)),
    )
    received = [squeezed.next() for _ in range(6)]
    # The pong may overtake messages, which the application answers.
    assert [one.payload for one in received if one.first == FIN | PONG] == [b"in between"]
    echoed = [one for one in received if one.first != FIN | PONG]
    assert [inflated(one.payload) if one.first & RSV1 else one.payload for one in echoed] == [
        *texts,
        texts[0],
        texts[0],
    ]


def test_noise_is_sent_as_it_is(squeezed: RawWebSocket) -> None:
    noise = random.Random(1).randbytes(5000)
    squeezed.send(frame(FIN | BINARY, noise))
    received = squeezed.next()
    assert (received.first, received.payload) == (FIN | BINARY, noise)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(FIN | RSV1 | TEXT, b"\xff" * 8), 1007),
        (frame(FIN | RSV1 | TEXT, deflated(b"\xff\xff")), 1007),
        (frame(FIN | RSV1 | TEXT, deflated(b"\0" * (LIMIT + 1))), 1009),
        (frame(FIN | RSV1 | BINARY, deflated(b"\0" * 100_000_000)), 1009),
        (frame(FIN | RSV1 | PING), 1002),
        (frame(RSV1 | TEXT, b"x") + frame(FIN | RSV1, b"x"), 1002),
    ],
    ids=["no deflate", "not UTF-8", "too big", "a bomb", "a ping", "a continuation"],
)
def test_compressed_messages_that_are_refused(squeezed: RawWebSocket, data: bytes, code: int) -> None:
    squeezed.send(data)
    assert squeezed.close_code() == code


@pytest.mark.parametrize(
    ("offer", "is_taken"),
    [
        ("permessage-deflate; server_max_window_bits=9", False),
        ("permessage-deflate; server_max_window_bits=9, permessage-deflate", True),
        ("permessage-deflate; unknown", False),
        ("x-webkit-deflate-frame", False),
        ("permessage-deflate; client_max_window_bits=12; server_no_context_takeover", True),
    ],
)
def test_offers(served: Served, offer: str, is_taken: bool) -> None:
    with RawWebSocket(served, "/", {"Sec-WebSocket-Extensions": offer}) as raw:
        assert ("sec-websocket-extensions" in raw.answer.headers) is is_taken


# The handshake.


def test_the_answer_to_a_handshake(served: Served) -> None:
    # The key and its answer are those of RFC 6455, 1.3.
    with RawWebSocket(served, "/", {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}) as raw:
        assert raw.answer.status == 101
        assert raw.answer.headers["upgrade"] == "websocket"
        assert raw.answer.headers["connection"] == "upgrade"
        assert raw.answer.headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        assert "sec-websocket-protocol" not in raw.answer.headers
        assert "sec-websocket-extensions" not in raw.answer.headers
        assert "content-length" not in raw.answer.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"Connection": "keep-alive, Upgrade"},
        {"Connection": "upgrade"},
        {"Upgrade": "WebSocket"},
        {"Sec-WebSocket-Extensions": "  "},
        {"Sec-WebSocket-Protocol": "unknown"},
    ],
)
def test_handshakes_that_differ(served: Served, headers: dict[str, str]) -> None:
    with RawWebSocket(served, "/", headers) as raw:
        assert raw.answer.status == 101
        raw.send(frame(FIN | TEXT, b"x"))
        assert raw.next().payload == b"x"


@pytest.mark.parametrize(
    ("offered", "chosen"), [("v1", "v1"), ("v1, v2", "v2"), ("v0,v1", "v1"), ("V1", None), ("v0", None)]
)
def test_subprotocols(served: Served, offered: str, chosen: str | None) -> None:
    with RawWebSocket(served, "/", {"Sec-WebSocket-Protocol": offered}) as raw:
        assert raw.answer.headers.get("sec-websocket-protocol") == chosen


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Upgrade": "", "Connection": ""}, 426),
        ({"Upgrade": ""}, 426),
        ({"Connection": "keep-alive"}, 426),
        ({"Upgrade": "h2c"}, 426),
        ({"Sec-WebSocket-Version": ""}, 426),
        ({"Sec-WebSocket-Version": "8"}, 426),
        ({"Sec-WebSocket-Version": "14"}, 426),
        ({"Sec-WebSocket-Version": "13, 8"}, 426),
        ({"Sec-WebSocket-Key": ""}, 400),
        ({"Sec-WebSocket-Key": "short"}, 400),
        ({"Sec-WebSocket-Key": "not base64 at all!!!!!!="}, 400),
        ({"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAAAA"}, 400),
        ({"Host": ""}, 400),
    ],
    ids=repr,
)
def test_handshakes_that_are_refused(served: Served, headers: dict[str, str], status: int) -> None:
    with RawWebSocket(served, "/", headers) as raw:
        assert raw.answer.status == status
        assert raw.answer.headers["content-type"] == "application/problem+json"
        if status == 426:
            assert raw.answer.headers["sec-websocket-version"] == "13"
            assert raw.answer.headers["upgrade"] == "websocket"


def test_other_methods_and_versions(served: Served) -> None:
    assert served.client.get("/").status_code == 426
    assert served.client.head("/").status_code == 426
    assert served.client.post("/").status_code == 405
    assert served.client.options("/").status_code == 204
    lines = ["GET / HTTP/1.0", *(f"{name}: {value}" for name, value in HANDSHAKE.items()), "", ""]
    assert served.exchange("\r\n".join(lines).encode()).startswith(b"HTTP/1.0 426") or served.exchange(
        "\r\n".join(lines).encode()
    ).startswith(b"HTTP/1.1 426")
