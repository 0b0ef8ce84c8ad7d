"""Bearer tokens on real sockets: every algorithm, keys from the configuration, a file and a URL."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from spikard import JwtConfig, Request, ServerConfig, Spikard
from spikard.errors import ConfigError
from spikard.testing import freeze_time
from tests.served import Served
from tests.tls_relay import TlsRelay

Serve = Callable[[Spikard], Served]
SECRET = "nobody else knows this text, which is long enough for the longest of hashes"
HOUR = 3600


def private_key(algorithm: str) -> Any:
    """A new key."""
    if algorithm.startswith(("RS", "PS")):
        return rsa.generate_private_key(65537, 2048)
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(
        {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}[algorithm]
    )


def pem(key: Any, form: PublicFormat = PublicFormat.SubjectPublicKeyInfo) -> str:
    """The public half."""
    text: bytes = key.public_key().public_bytes(Encoding.PEM, form)
    return text.decode()


def jwk(key: Any, algorithm: str, kid: str) -> dict[str, Any]:
    """The public half, as JSON Web Key."""
    document: dict[str, Any] = jwt.get_algorithm_by_name(algorithm).to_jwk(key.public_key(), as_dict=True)
    return {**document, "kid": kid, "use": "sig"}


def protected(config: JwtConfig) -> Spikard:
    """Says who asks."""
    app = Spikard(ServerConfig(jwt_auth=config))

    @app.get("/me")
    async def me(request: Request) -> dict[str, Any]:
        return {"user": request.user, "auth": request.auth}

    return app


def claims(**more: Any) -> dict[str, Any]:
    return {"sub": "ada", "exp": time.time() + HOUR, **more}


def ask(served: Served, token: str) -> int:
    """The status for this token."""
    return served.client.get("/me", headers={"authorization": f"Bearer {token}"}).status_code


PUBLIC = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]


@pytest.mark.parametrize("algorithm", PUBLIC)
def test_public_key(serve: Serve, algorithm: str) -> None:
    key = private_key(algorithm)
    served = serve(protected(JwtConfig(algorithm=algorithm, public_key=pem(key))))
    token = jwt.encode(claims(), key, algorithm=algorithm)
    assert ask(served, token) == 200
    assert ask(served, jwt.encode(claims(), private_key(algorithm), algorithm=algorithm)) == 401
    message, signature = token.rsplit(".", 1)
    flipped = signature[:-8] + ("A" if signature[-8] != "A" else "B") + signature[-7:]
    assert ask(served, f"{message}.{flipped}") == 401


@pytest.mark.parametrize("algorithm", PUBLIC)
def test_key_set_in_a_file(serve: Serve, tmp_path: Path, algorithm: str) -> None:
    key, other = private_key(algorithm), private_key(algorithm)
    file = tmp_path / "keys.json"
    odd = [{"kty": "oct", "k": "AAAA"}, {"kty": "EC", "crv": "P-256"}, {}, {"kty": "RSA", "n": "!", "e": "AQAB"}]
    file.write_text(json.dumps({"keys": [*odd, jwk(other, algorithm, "b"), jwk(key, algorithm, "a")]}))
    served = serve(protected(JwtConfig(algorithm=algorithm, jwks_url=str(file))))
    assert ask(served, jwt.encode(claims(), key, algorithm=algorithm, headers={"kid": "a"})) == 200
    assert ask(served, jwt.encode(claims(), key, algorithm=algorithm, headers={"kid": "b"})) == 401
    assert ask(served, jwt.encode(claims(), key, algorithm=algorithm, headers={"kid": "c"})) == 401
    # Without a name every key is tried.
    assert ask(served, jwt.encode(claims(), key, algorithm=algorithm)) == 200


def test_key_of_the_older_form(serve: Serve) -> None:
    key = private_key("RS256")
    served = serve(protected(JwtConfig(algorithm="RS256", public_key=pem(key, PublicFormat.PKCS1))))
    assert ask(served, jwt.encode(claims(), key, algorithm="RS256")) == 200


def test_a_public_key_is_no_secret(serve: Serve) -> None:
    # The classic: a token signed with the text of the public key, as if that was the secret.
    key = private_key("RS256")
    served = serve(protected(JwtConfig(algorithm="RS256", public_key=pem(key), secret=SECRET)))
    encode = lambda part: base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")  # noqa: E731
    import hashlib
    import hmac

    message = encode({"alg": "HS256"}) + b"." + encode(claims())
    for secret in (pem(key), SECRET):
        signature = base64.urlsafe_b64encode(hmac.digest(secret.encode(), message, hashlib.sha256)).rstrip(b"=")
        assert ask(served, (message + b"." + signature).decode()) == 401


def test_the_handler_knows_who_asks(serve: Serve) -> None:
    served = serve(protected(JwtConfig(secret=SECRET)))
    held = claims(roles=["a"], nested={"x": [1, 2.5, None]})
    token = jwt.encode(held, SECRET)
    answer = served.client.get("/me", headers={"authorization": f"Bearer {token}"})
    assert answer.json() == {"user": "ada", "auth": {"scheme": "jwt", "claims": held}}


def test_optional(serve: Serve) -> None:
    served = serve(protected(JwtConfig(secret=SECRET, optional=True)))
    answer = served.client.get("/me")
    assert (answer.status_code, answer.json()) == (200, {"user": None, "auth": {}})
    assert ask(served, jwt.encode(claims(), SECRET)) == 200
    assert ask(served, jwt.encode(claims(), SECRET[1:])) == 401


def test_time_can_be_held(serve: Serve) -> None:
    served = serve(protected(JwtConfig(secret=SECRET, leeway=5)))
    with freeze_time("2030-01-01T00:00:00Z") as held:
        token = jwt.encode({"exp": held.now + 60}, SECRET)
        assert ask(served, token) == 200
        held.tick(64)
        assert ask(served, token) == 200
        held.tick(1)
        assert ask(served, token) == 401


class KeyServer:
    """Serves a key set over HTTP; counts requests."""

    def __init__(self) -> None:
        self.document: Any = {"keys": []}
        self.status = 200
        self.requests = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.requests += 1
                body = json.dumps(outer.document).encode()
                self.send_response(outer.status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/keys"


@pytest.fixture
def key_server() -> Iterator[KeyServer]:
    server = KeyServer()
    thread = Thread(target=server.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.server.shutdown()
    server.server.server_close()
    thread.join()


def test_keys_rotate(serve: Serve, key_server: KeyServer) -> None:
    first, second = private_key("ES256"), private_key("ES256")
    key_server.document = {"keys": [jwk(first, "ES256", "1")]}
    served = serve(protected(JwtConfig(algorithm="ES256", jwks_url=key_server.url)))
    with freeze_time() as held:
        token = jwt.encode({"exp": held.now + 9 * HOUR}, first, algorithm="ES256", headers={"kid": "1"})
        newer = jwt.encode({"exp": held.now + 9 * HOUR}, second, algorithm="ES256", headers={"kid": "2"})
        assert [ask(served, token) for _ in range(3)] == [200, 200, 200]
        assert key_server.requests == 1
        key_server.document = {"keys": [jwk(first, "ES256", "1"), jwk(second, "ES256", "2")]}
        # Asked for at most once a minute, however many tokens name keys that nobody knows.
        assert [ask(served, newer) for _ in range(3)] == [401, 401, 401]
        assert key_server.requests == 1
        held.tick(60)
        assert [ask(served, newer), ask(served, token)] == [200, 200]
        assert key_server.requests == 2


@pytest.mark.parametrize("broken", ["status", "document"])
def test_keys_that_cannot_be_had(
    serve: Serve, key_server: KeyServer, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    key = private_key("ES256")
    if broken == "status":
        key_server.status = 500
    else:
        key_server.document = ["no key set"]
    served = serve(protected(JwtConfig(algorithm="ES256", jwks_url=key_server.url)))
    with freeze_time() as held:
        token = jwt.encode({"exp": held.now + HOUR}, key, algorithm="ES256", headers={"kid": "1"})
        answers = [served.client.get("/me", headers={"authorization": f"Bearer {token}"}) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [503, 503]
        assert answers[0].headers["retry-after"] == "10"
        assert key_server.requests == 1
        assert [record.levelname for record in caplog.records if key_server.url in record.message] == ["WARNING"]
        key_server.status, key_server.document = 200, {"keys": [jwk(key, "ES256", "1")]}
        held.tick(10)
        assert ask(served, token) == 200


def test_keys_over_tls(
    serve: Serve,
    key_server: KeyServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    key = private_key("ES256")
    key_server.document = {"keys": [jwk(key, "ES256", "1")]}
    token = jwt.encode(claims(), key, algorithm="ES256", headers={"kid": "1"})
    with TlsRelay(key_server.server.server_port, tmp_path) as relay:
        url = f"https://localhost:{relay.port}/keys"
        served = serve(protected(JwtConfig(algorithm="ES256", jwks_url=url)))
        assert (ask(served, token), key_server.requests) == (503, 0)
        assert [record.levelname for record in caplog.records if url in record.message] == ["WARNING"]
        monkeypatch.setenv("SSL_CERT_FILE", str(relay.authority))
        served = serve(protected(JwtConfig(algorithm="ES256", jwks_url=url)))
        assert (ask(served, token), key_server.requests) == (200, 1)


def test_keys_of_somebody_else(
    serve: Serve, key_server: KeyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = private_key("ES256")
    key_server.document = {"keys": [jwk(key, "ES256", "1")]}
    with TlsRelay(key_server.server.server_port, tmp_path, name="keys.example.org") as relay:
        monkeypatch.setenv("SSL_CERT_FILE", str(relay.authority))
        url = f"https://localhost:{relay.port}/keys"
        served = serve(protected(JwtConfig(algorithm="ES256", jwks_url=url)))
        token = jwt.encode(claims(), key, algorithm="ES256", headers={"kid": "1"})
        assert (ask(served, token), key_server.requests) == (503, 0)


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (JwtConfig(algorithm="RS256", public_key="no key"), "PEM"),
        (JwtConfig(algorithm="ES256", public_key=pem(private_key("ES384"))), "ES256"),
        (JwtConfig(algorithm="RS256", public_key=pem(private_key("EdDSA"))), "RS256"),
        (JwtConfig(algorithm="RS256", secret=SECRET), "public_key"),
        (JwtConfig(algorithm="RS256", jwks_url="ftp://example.org/keys"), "http"),
    ],
)
def test_keys_that_do_not_fit_end_the_start(serve: Serve, config: JwtConfig, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        serve(protected(config))
