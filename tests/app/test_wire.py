"""Requests that are odd or broken on the wire: each has its status, and none reaches a handler by mistake."""

import json
import socket

import pytest

from spikard import Request, ServerConfig, Spikard
from tests.conftest import Serve
from tests.served import Served


@pytest.fixture
def app() -> Spikard:
    app = Spikard(config=ServerConfig(body_read_timeout=5, header_read_timeout=5))
    app.state.bodies = []

    @app.get("/x")
    async def x() -> str:
        return "x"

    @app.post("/x")
    async def post(request: Request) -> int:
        app.state.bodies.append(bytes(request.body()))
        return len(app.state.bodies[-1])

    return app


def ask(served: Served, data: bytes, *, end: bool = False) -> tuple[int, dict[str, str], bytes]:
    """Send bytes, and with `end` say that there are no more; everything until the server closes, as one answer."""
    with served.connect() as connection:
        connection.sendall(data)
        if end:
            connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return int(status.split()[1]), headers, body


def problem_of(answer: tuple[int, dict[str, str], bytes]) -> str:
    _, headers, body = answer
    assert headers["content-type"] == "application/problem+json"
    return json.loads(body)["type"].rpartition("/")[2]


@pytest.mark.parametrize(
    "method",
    ["FOO", "PROPFIND", "get", "X" * 100],
)
@pytest.mark.parametrize("path", ["/x", "/nowhere"])
def test_a_method_nobody_knows_is_501(serve: Serve, app: Spikard, method: str, path: str) -> None:
    answer = ask(serve(app), f"{method} {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n".encode())
    assert answer[0] == 501
    assert problem_of(answer) == "not-implemented"


@pytest.mark.parametrize("target", ["a.example:443", "/x", "127.0.0.1:80"])
def test_nobody_tunnels_through(serve: Serve, app: Spikard, target: str) -> None:
    answer = ask(serve(app), f"CONNECT {target} HTTP/1.1\r\nhost: {target}\r\nconnection: close\r\n\r\n".encode())
    assert answer[0] in ({405} if not target.startswith("/") else {400, 405})
    assert problem_of(answer) in {"method-not-allowed", "bad-request"}


def test_trace_without_a_route_is_405(serve: Serve, app: Spikard) -> None:
    answer = ask(serve(app), b"TRACE /x HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
    assert answer[0] == 405
    assert answer[1]["allow"] == "GET, HEAD, OPTIONS, POST"


HEAD = b"POST /x HTTP/1.1\r\nhost: a\r\n"
LAST = HEAD + b"connection: close\r\n"
SMUGGLED = b"GET /x HTTP/1.1\r\nhost: a\r\n\r\n"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(HEAD + b"content-length: 5\r\ncontent-length: 6\r\n\r\nhello" + SMUGGLED, id="two lengths"),
        pytest.param(HEAD + b"content-length: 5, 6\r\n\r\nhello" + SMUGGLED, id="two lengths in one line"),
        pytest.param(HEAD + b"content-length: +5\r\n\r\nhello" + SMUGGLED, id="a sign"),
        pytest.param(HEAD + b"content-length: 0x5\r\n\r\nhello" + SMUGGLED, id="hexadecimal"),
        pytest.param(HEAD + b"content-length: -5\r\n\r\nhello" + SMUGGLED, id="negative"),
        pytest.param(HEAD + b"content-length: \r\n\r\n" + SMUGGLED, id="empty"),
        pytest.param(HEAD + b"content-length: 99999999999999999999\r\n\r\n" + SMUGGLED, id="beyond 64 bits"),
        pytest.param(
            HEAD + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED, id="length, coding"
        ),
        pytest.param(
            HEAD + b"transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n" + SMUGGLED, id="coding, length"
        ),
        pytest.param(
            HEAD + b"Transfer-Encoding: Chunked\r\nCONTENT-LENGTH: 5\r\n\r\n0\r\n\r\n" + SMUGGLED, id="in capitals"
        ),
        pytest.param(
            (HEAD + b"transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n").replace(b"\r", b"") + b"0\r\n\r\n",
            id="lines without CR",
        ),
        pytest.param(HEAD + b"transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n", id="another coding last"),
        pytest.param(HEAD + b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n", id="no coding at all"),
        pytest.param(HEAD + b"transfer-encoding : chunked\r\n\r\n0\r\n\r\n", id="a space before the colon"),
        pytest.param(HEAD + b"x-a: 1\r\n folded\r\ncontent-length: 0\r\n\r\n", id="a folded line"),
        pytest.param(HEAD + b" x-a: 1\r\ncontent-length: 0\r\n\r\n", id="a folded first line"),
        pytest.param(HEAD + b"x-a: 1\rcontent-length: 5\r\n\r\n", id="a bare CR"),
        pytest.param(HEAD + b"x-a: \x00\r\n\r\n", id="a NUL"),
        pytest.param(HEAD + b"x a: 1\r\n\r\n", id="a space in a name"),
        pytest.param(HEAD + b"no colon\r\n\r\n", id="no colon"),
        pytest.param(b"POST /x HTTP/1.1\r\n\r\n", id="no host"),
        pytest.param(HEAD + b"host: b\r\n\r\n", id="two hosts"),
        pytest.param(b"POST /x\r\nhost: a\r\n\r\n", id="no version"),
        pytest.param(b"POST /x HTTP/3.0\r\nhost: a\r\n\r\n", id="another version"),
        pytest.param(b"POST  /x HTTP/1.1\r\nhost: a\r\n\r\n", id="two spaces"),
        pytest.param(b"POST /x\x00 HTTP/1.1\r\nhost: a\r\n\r\n", id="a NUL in the target"),
        pytest.param(HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n\r\n", id="a size that is none"),
        pytest.param(HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n", id="a chunk without its end"),
        pytest.param(
            HEAD + b"transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n" + SMUGGLED, id="a size beyond 64 bits"
        ),
        pytest.param(HEAD + b"content-length: 50\r\n\r\nhello", id="a body that ends early"),
        pytest.param(HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\nhel", id="chunks that end early"),
    ],
)
def test_what_is_ambiguous_or_broken_is_400_and_the_end(
    serve: Serve, app: Spikard, data: bytes, request: pytest.FixtureRequest
) -> None:
    served = serve(app)
    answer = ask(served, data, end="early" in request.node.callspec.id)
    assert answer[0] == 400, answer
    assert problem_of(answer) == "bad-request"
    assert answer[1]["connection"] == "close"
    assert answer[2].count(b"HTTP/1.1") == 0, "something was taken for a second request"
    assert app.state.bodies == []
    # The next one is served as ever.
    assert served.client.get("/x").json() == "x"


@pytest.mark.parametrize(
    ("data", "body"),
    [
        (LAST + b"content-length: 5\r\ncontent-length: 5\r\n\r\nhello", b"hello"),
        (LAST + b"transfer-encoding: chunked\r\n\r\n5;ext=1\r\nhello\r\n0\r\nx-trailer: 1\r\n\r\n", b"hello"),
        (b"\r\n\r\n" + LAST + b"content-length: 5\r\n\r\nhello", b"hello"),
        (b"POST http://a/x HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello", b"hello"),
    ],
)
def test_what_is_odd_but_clear_is_taken(serve: Serve, app: Spikard, data: bytes, body: bytes) -> None:
    assert ask(serve(app), data)[0] == 200
    assert app.state.bodies == [body]


def test_what_is_ambiguous_is_seen_though_it_comes_in_pieces(serve: Serve, app: Spikard) -> None:
    served = serve(app)
    with served.connect() as connection:
        for piece in (HEAD, b"transfer-enco", b"ding: chunked\r\n", b"content-length: 5\r\n\r", b"\n0\r\n\r\n"):
            connection.sendall(piece)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert app.state.bodies == []


def test_leave_to_send_is_given_when_the_body_is_wanted(serve: Serve, app: Spikard) -> None:
    with serve(app).connect() as connection:
        connection.sendall(HEAD + b"content-length: 5\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 100 Continue\r\n")
        connection.sendall(b"hello")
        assert b"".join(iter(lambda: connection.recv(65536), b"")).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"POST /nowhere HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n", b"404"),
        (HEAD + b"content-length: 99999999999\r\n", b"413"),
    ],
)
def test_no_leave_to_send_is_given_for_nothing(serve: Serve, app: Spikard, head: bytes, status: bytes) -> None:
    answer = serve(app).exchange(head + b"expect: 100-continue\r\nconnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 " + status)


def test_another_expectation_is_417(serve: Serve, app: Spikard) -> None:
    answer = ask(serve(app), b"GET /x HTTP/1.1\r\nhost: a\r\nexpect: the-unexpected\r\nconnection: close\r\n\r\n")
    assert answer[0] == 417
