"""Calls of HTTP actions: only where actions may call, bounded in time and size. Needs the extra `http`."""

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

import httpcore

from spikard.fsm.errors import FSMError
from spikard.fsm.features import get_http_allow_private

MAX_REDIRECTS = 3
MAX_BODY = 1 << 20

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class HttpRefusedError(FSMError):
    """An action wants to call what actions may not call."""


class HttpStatusError(FSMError):
    """The answer says that the call failed."""


class HttpUnavailableError(HttpStatusError, ConnectionError):
    """The answer says that another try may succeed."""


class Answer(NamedTuple):
    """What came back."""

    status: int
    body: bytes


class GuardedNetwork(httpcore.NetworkBackend):
    """Connects only to addresses that actions may call. The address that was looked at is the one that is called."""

    def __init__(self) -> None:
        self._network = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to the first address that answers."""
        error: Exception | None = None
        for address in allowed_addresses(host, port):
            try:
                return self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failed:
                error = failed
        raise error or httpcore.ConnectError(f"'{host}' has no address")

    def sleep(self, seconds: float) -> None:
        """Wait between tries."""
        self._network.sleep(seconds)


def allowed_addresses(host: str, port: int) -> list[str]:
    """The addresses of a host; all of them must be ones that actions may call."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise ConnectionError(f"'{host}' cannot be resolved: {error.strerror}") from error
    addresses = [str(entry[4][0]) for entry in found]
    if not get_http_allow_private():
        for address in addresses:
            if not is_public(address):
                raise HttpRefusedError(
                    f"HTTP actions do not call {address} ('{host}'): it is not a public address; "
                    "SPIKARD_FSM_HTTP_ALLOW_PRIVATE=1 allows it"
                )
    return addresses


def is_public(address: str) -> bool:
    """Whether an address is one of the internet, also behind the forms in which IPv6 carries IPv4."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo[1] if parsed.teredo else None)
        if inner is None and parsed in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return parsed.is_global and not parsed.is_multicast


@lru_cache(maxsize=1)
def _pool() -> httpcore.ConnectionPool:
    return httpcore.ConnectionPool(
        ssl_context=ssl.create_default_context(),
        max_connections=100,
        max_keepalive_connections=20,
        keepalive_expiry=15,
        network_backend=GuardedNetwork(),
    )


def close_connections() -> None:
    """Close the connections that wait for the next call."""
    if _pool.cache_info().currsize:
        _pool().close()
        _pool.cache_clear()


def call(method: str, url: str, headers: Mapping[str, str], content: bytes | None, timeout: float) -> Answer:
    """Make a call and follow it where it is sent on."""
    until = time.monotonic() + timeout
    current = dict(headers)
    for _ in range(MAX_REDIRECTS + 1):
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise HttpRefusedError(f"HTTP actions call http and https only, not {url!r}")
        allowed_addresses(parts.hostname, parts.port or (443 if parts.scheme == "https" else 80))
        answer, place = _once(method, url, current, content, until)
        if answer.status not in _REDIRECTS or place is None:
            return answer
        url = urljoin(url, place)
        if urlsplit(url).netloc != parts.netloc:
            # Secrets are for the host they were written for.
            current = {key: value for key, value in current.items() if key.lower() not in _SECRETS}
        if answer.status == 303 or (answer.status in {301, 302} and method == "POST"):
            method, content = "GET", None
    raise HttpRefusedError(f"HTTP actions follow at most {MAX_REDIRECTS} redirects; the last one leads to {url!r}")


_SECRETS = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key"})


def _once(
    method: str, url: str, headers: Mapping[str, str], content: bytes | None, until: float
) -> tuple[Answer, str | None]:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("the HTTP action took too long")
    limits = dict.fromkeys(("connect", "read", "write", "pool"), left)
    try:
        with _pool().stream(
            method, url, headers=list(headers.items()), content=content, extensions={"timeout": limits}
        ) as response:
            body = bytearray()
            for part in response.iter_stream():
                body += part
                if len(body) > MAX_BODY:
                    raise HttpRefusedError(f"the answer to an HTTP action is larger than {MAX_BODY} bytes: {url!r}")
                if time.monotonic() > until:
                    raise TimeoutError("the HTTP action took too long")
            places = [value.decode("latin-1") for key, value in response.headers if key.lower() == b"location"]
            return Answer(response.status, bytes(body)), places[0] if places else None
    except httpcore.TimeoutException as error:
        raise TimeoutError(f"the HTTP action took too long: {error}") from error
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise ConnectionError(str(error) or type(error).__name__) from error
