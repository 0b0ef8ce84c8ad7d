"""Requests that proxies pass on: who sent them, and what for."""

import json
import struct
from ipaddress import ip_address

import pytest

from spikard import Request, ServerConfig, Spikard
from spikard.config import CorsConfig
from tests.conftest import Serve
from tests.served import Served

TRUSTING = ["127.0.0.0/8"]


def app_with(**fields: object) -> Spikard:
    app = Spikard(config=ServerConfig(**fields))

    @app.get("/who")
    async def who(request: Request) -> dict:
        host, port = request.client or (None, None)
        return {"client": host, "port": port, "scheme": request.scheme, "host": request.host, "url": request.url}

    @app.post("/who")
    async def change() -> str:
        return "changed"

    return app


def test_nobody_is_believed_unless_it_is_said(serve: Serve) -> None:
    headers = {
        "x-forwarded-for": "1.2.3.4",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "bank.example",
        "forwarded": "for=1.2.3.4;proto=https;host=bank.example",
    }
    for proxies in ([], ["10.0.0.0/8"]):
        told = serve(app_with(trusted_proxies=proxies)).client.get("/who", headers=headers).json()
        assert told["client"] == "127.0.0.1"
        assert told["scheme"] == "http"
        assert told["host"].startswith("127.0.0.1:")


def test_a_trusted_proxy_tells_who_asked_and_for_what(serve: Serve) -> None:
    client = serve(app_with(trusted_proxies=TRUSTING)).client
    headers = {
        "x-forwarded-for": "6.6.6.6, 1.2.3.4, 127.0.0.9",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "shop.example",
    }
    expected = {
        "client": "1.2.3.4",
        "port": 0,
        "scheme": "https",
        "host": "shop.example",
        "url": "https://shop.example/who?q=1",
    }
    assert client.get("/who?q=1", headers=headers).json() == expected
    standard = {"forwarded": 'for=6.6.6.6, for="1.2.3.4:99";proto=https;host=shop.example, for=127.0.0.9'}
    assert client.get("/who?q=1", headers=standard).json() == {**expected, "port": 99}


def test_what_a_proxy_says_decides_about_hosts_and_origins(serve: Serve) -> None:
    fields = {"trusted_proxies": TRUSTING, "allowed_hosts": ["shop.example"]}
    client = serve(app_with(cors=CorsConfig(allowed_origins=[]), **fields)).client
    told = {"x-forwarded-host": "shop.example", "x-forwarded-proto": "https"}
    assert client.get("/who").status_code == 400
    assert client.get("/who", headers=told).status_code == 200
    assert client.post("/who", headers={**told, "origin": "https://shop.example"}).status_code == 200
    assert client.post("/who", headers={**told, "origin": "http://shop.example"}).status_code == 403


def test_a_prefix_that_the_proxy_took_away_is_put_back(serve: Serve) -> None:
    app = app_with(root_path="/api/", redirect_slashes=True)

    @app.get("/items/{item_id}", name="item")
    async def item(item_id: int, request: Request) -> list[str]:
        return [request.url, request.base_url, request.url_for("item", item_id=7), request.path]

    served = serve(app)
    answer = served.client.get("/items/1?q=1")
    assert answer.json() == [
        f"{served.url}/api/items/1?q=1",
        f"{served.url}/api/",
        "/api/items/7",
        "/items/1",
    ]
    assert served.client.get("/items/1/").headers["location"] == "/api/items/1"


def ask(served: Served, start: bytes) -> bytes:
    try:
        return served.exchange(start + b"GET /who HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    except ConnectionResetError:
        # The server has closed without reading all of it.
        return b""


def binary_header(source: str, destination: str, command: int = 0x21) -> bytes:
    ends = [ip_address(source), ip_address(destination)]
    family = 0x11 if ends[0].version == 4 else 0x21
    rest = b"".join(end.packed for end in ends) + struct.pack("!HH", 4711, 80)
    return b"\r\n\r\n\0\r\nQUIT\n" + struct.pack("!BBH", command, family, len(rest)) + rest


@pytest.mark.parametrize(
    ("start", "client", "port"),
    [
        (b"PROXY TCP4 1.2.3.4 10.0.0.1 4711 80\r\n", "1.2.3.4", 4711),
        (b"PROXY TCP6 2001:db8::1 ::1 4711 80\r\n", "2001:db8::1", 4711),
        (binary_header("1.2.3.4", "10.0.0.1"), "1.2.3.4", 4711),
        (binary_header("2001:db8::1", "::1"), "2001:db8::1", 4711),
    ],
)
def test_the_proxy_protocol_tells_who_connects(serve: Serve, start: bytes, client: str, port: int) -> None:
    answer = ask(serve(app_with(proxy_protocol=True)), start)
    assert answer.startswith(b"HTTP/1.1 200 ")
    told = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert (told["client"], told["port"]) == (client, port)


def test_a_balancer_may_speak_for_itself(serve: Serve) -> None:
    served = serve(app_with(proxy_protocol=True))
    for start in (b"PROXY UNKNOWN\r\n", binary_header("1.2.3.4", "10.0.0.1", command=0x20)):
        assert b'"client":"127.0.0.1"' in ask(served, start)


def test_without_its_header_a_connection_is_closed_in_silence(serve: Serve) -> None:
    served = serve(app_with(proxy_protocol=True, header_read_timeout=0.2))
    assert ask(served, b"") == b""
    assert ask(served, b"PROXY TCP4 1.2.3.4 10.0.0.1 4711 80 90\r\n") == b""
    # Neither does one that never sends it stay open.
    for start in (b"", b"PROXY TC", b"\r\n\r\n\0\r\nQUIT\n"):
        assert served.exchange(start) == b""
    assert ask(served, b"PROXY UNKNOWN\r\n").startswith(b"HTTP/1.1 200 ")


def test_only_trusted_balancers_are_believed_where_they_are_named(serve: Serve) -> None:
    served = serve(app_with(proxy_protocol=True, trusted_proxies=["10.0.0.0/8"]))
    assert b'"client":"127.0.0.1"' in ask(served, b"PROXY TCP4 1.2.3.4 10.0.0.1 4711 80\r\n")


def test_the_header_may_come_in_pieces(serve: Serve) -> None:
    with serve(app_with(proxy_protocol=True)).connect() as connection:
        for byte in b"PROXY TCP4 1.2.3.4 10.0.0.1 4711 80\r\n":
            connection.sendall(bytes([byte]))
        connection.sendall(b"GET /who HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert b'"client":"1.2.3.4"' in answer
