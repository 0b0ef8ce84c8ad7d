"""TLS: certificates by host name, client certificates, HTTP/2 by ALPN, files that change."""

import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
from websockets.sync.client import connect

from spikard import Request, Spikard
from spikard.config import ServerConfig, TlsConfig
from spikard.errors import ConfigError
from tests.served import Mode, Served

Serve = Callable[..., Served]


class Files:
    """An authority and the certificates it gave, as files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = trustme.CA()
        self.authority.cert_pem.write_to_path(str(folder / "ca.pem"))

    def issue(self, *names: str) -> tuple[str, str]:
        issued = self.authority.issue_cert(*names)
        cert, key = self.folder / f"{names[0]}.cert", self.folder / f"{names[0]}.key"
        issued.private_key_pem.write_to_path(str(key))
        cert.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        return str(cert), str(key)

    def trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        return context


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def application(tls: TlsConfig, **settings: object) -> Spikard:
    app = Spikard(ServerConfig(tls=tls, **settings))  # type: ignore[arg-type]

    @app.get("/")
    async def root(request: Request) -> dict[str, str]:
        return {"scheme": request.scheme, "version": request.http_version}

    return app


def test_https(serve: Serve, files: Files) -> None:
    served = serve(application(TlsConfig(*files.issue("127.0.0.1", "localhost"))))
    assert served.url.startswith("https://")
    with httpx.Client(base_url=served.url, verify=files.trust(), trust_env=False) as client:
        assert client.get("/").json() == {"scheme": "https", "version": "1.1"}


def test_http2_by_alpn(serve: Serve, files: Files) -> None:
    served = serve(application(TlsConfig(*files.issue("127.0.0.1"))))
    with httpx.Client(base_url=served.url, verify=files.trust(), http2=True, trust_env=False) as client:
        answer = client.get("/")
    assert answer.http_version == "HTTP/2"
    assert answer.json() == {"scheme": "https", "version": "2"}


def test_http2_is_not_offered_when_off(serve: Serve, files: Files) -> None:
    served = serve(application(TlsConfig(*files.issue("127.0.0.1")), http2=False))
    with httpx.Client(base_url=served.url, verify=files.trust(), http2=True, trust_env=False) as client:
        assert client.get("/").http_version == "HTTP/1.1"


def presented(port: int, name: str | None, trust: ssl.SSLContext) -> list[str]:
    """The names in the certificate that the server shows for a name."""
    trust.check_hostname = False
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        trust.wrap_socket(plain, server_hostname=name) as encrypted,
    ):
        certificate = encrypted.getpeercert()
    assert certificate
    return [value for _, value in certificate["subjectAltName"]]  # type: ignore[misc]


def test_certificates_by_host(serve: Serve, files: Files) -> None:
    tls = TlsConfig(
        *files.issue("localhost"),
        hosts={"one.example.org": files.issue("one.example.org"), "*.example.net": files.issue("*.example.net")},
    )
    served = serve(application(tls))
    assert presented(served.port, "ONE.example.org", files.trust()) == ["one.example.org"]
    assert presented(served.port, "any.example.net", files.trust()) == ["*.example.net"]
    assert presented(served.port, "a.b.example.net", files.trust()) == ["localhost"]
    assert presented(served.port, None, files.trust()) == ["localhost"]


def test_client_certificates(serve: Serve, files: Files) -> None:
    tls = TlsConfig(*files.issue("127.0.0.1"), client_ca=str(files.folder / "ca.pem"))
    served = serve(application(tls))
    with (
        httpx.Client(base_url=served.url, verify=files.trust(), trust_env=False) as client,
        pytest.raises(httpx.HTTPError),
    ):
        client.get("/")
    context = files.trust()
    context.load_cert_chain(*files.issue("client.example.org"))
    with httpx.Client(base_url=served.url, verify=context, trust_env=False) as client:
        assert client.get("/").status_code == 200


def test_old_protocols_are_refused(serve: Serve, files: Files) -> None:
    served = serve(application(TlsConfig(*files.issue("127.0.0.1"), min_version="1.3")))
    context = files.trust()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with (
        httpx.Client(base_url=served.url, verify=context, trust_env=False) as client,
        pytest.raises(httpx.ConnectError),
    ):
        client.get("/")


def test_plain_http_is_told(serve: Serve, files: Files) -> None:
    served = serve(application(TlsConfig(*files.issue("127.0.0.1"))))
    answer = served.exchange(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"This address takes HTTPS" in answer


def test_a_handshake_has_a_time_limit(serve: Serve, files: Files) -> None:
    served = serve(application(TlsConfig(*files.issue("127.0.0.1")), header_read_timeout=0.2))
    with served.connect() as silent:
        assert silent.recv(1) == b""
    with served.connect() as slow:
        slow.sendall(b"\x16\x03\x01")
        assert slow.recv(1) == b""


def test_garbage_closes_only_its_connection(serve: Serve, files: Files) -> None:
    served = serve(application(TlsConfig(*files.issue("127.0.0.1"))))
    with served.connect() as broken:
        broken.sendall(b"\x16" + b"\xff" * 600)
        while broken.recv(4096):
            pass
    with httpx.Client(base_url=served.url, verify=files.trust(), trust_env=False) as client:
        assert client.get("/").status_code == 200


@pytest.mark.parametrize("mode", Mode)
def test_unusable_files_are_named(files: Files, mode: Mode) -> None:
    cert, key = files.issue("127.0.0.1")
    _, other = files.issue("localhost")
    empty = files.folder / "empty.pem"
    empty.write_text("")
    for tls, told in [
        (TlsConfig(str(empty), key), "empty.pem holds no certificate"),
        (TlsConfig(cert, str(empty)), "empty.pem"),
        (TlsConfig(cert, other), "localhost.key"),
    ]:
        with pytest.raises(ConfigError, match=told), Served(application(tls), mode):
            pass


def test_websockets_over_tls(serve: Serve, files: Files) -> None:
    app = application(TlsConfig(*files.issue("127.0.0.1", "localhost")))

    @app.websocket("/echo")
    async def echo(message: Any) -> Any:
        return message

    served = serve(app)
    url = "wss://127.0.0.1:" + served.url.rpartition(":")[2] + "/echo"
    with connect(url, ssl=files.trust(), proxy=None, open_timeout=10, close_timeout=10) as ws:
        assert ws.protocol.extensions
        for text in ("7", '"' + "tea " * 1000 + '"', '"' + "x" * 500_000 + '"'):
            ws.send(text)
            assert ws.recv(timeout=10) == text
        ws.close(4000)
        assert ws.close_code == 4000
