"""The HTTP side of a bot: connections, certificates, one request and what its answer means."""

import logging
import os
import re
import ssl
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urljoin, urlsplit

import certifi
import httpx
import msgspec

from spikard.bots.errors import (
    APIError,
    InvalidToken,
    MethodUnknown,
    NetworkError,
    NotAllowed,
    NotFound,
    RateLimited,
    ServerError,
    TLSError,
)
from spikard.bots.redaction import redact, unwatch_logs, watch_logs
from spikard.bots.retry import read_retry_after

logger = logging.getLogger("spikard.bots")

_MOST_REDIRECTS = 3
# By the server's words, since it has no codes.
_REFUSALS: list[tuple[re.Pattern[str], type[APIError]]] = [
    (re.compile(r"invalid token|token.{0,20}(invalid|not found)", re.IGNORECASE), InvalidToken),
    (
        re.compile(r"method not allowed|not allowed|permission denied|access denied|forbidden", re.IGNORECASE),
        NotAllowed,
    ),
    (re.compile(r"unknown method|method not found", re.IGNORECASE), MethodUnknown),
    (re.compile(r"rate ?limit|too many requests", re.IGNORECASE), RateLimited),
    (re.compile(r"not found|no such|does not exist", re.IGNORECASE), NotFound),
]


class Session:
    """Connections of one bot: one set for calls and one for polls, which would else keep calls waiting."""

    def __init__(
        self,
        *,
        timeout: float,
        connect_timeout: float,
        max_connections: int,
        proxy: str | None,
        verify_ssl: bool | str | Path | ssl.SSLContext,
        extra_ca: str | Path | None,
        given: httpx.AsyncClient | None,
    ) -> None:
        self._timeout = timeout
        self._connect_timeout = connect_timeout
        self._max_connections = max_connections
        self._proxy = proxy
        self._verify = verify_ssl
        self._extra_ca = extra_ca or os.environ.get("VKTEAMS_CA") or None
        self._http = given
        self._poll: httpx.AsyncClient | None = None
        # A client that was given serves polls as well: tests watch it.
        self._is_given = given is not None
        self._is_watching = False
        if verify_ssl is False:
            logger.warning("Certificates are not verified (verify_ssl=False): anybody on the way can read the token")

    @property
    def http(self) -> httpx.AsyncClient:
        """The client of calls, made when it is needed."""
        if self._http is None or self._http.is_closed:
            self._http = self._client(self._max_connections)
            self._is_given = False
        self._watch()
        return self._http

    @http.setter
    def http(self, client: httpx.AsyncClient | None) -> None:
        self._http = client
        self._is_given = client is not None

    @property
    def poll(self) -> httpx.AsyncClient:
        """The client of polls."""
        if self._is_given and self._http is not None and not self._http.is_closed:
            self._watch()
            return self._http
        if self._poll is None or self._poll.is_closed:
            self._poll = self._client(2)
        self._watch()
        return self._poll

    def timeout(self, read: float | None = None) -> httpx.Timeout:
        """Seconds for the steps of a request; `read` for the answer, if not as usual."""
        return httpx.Timeout(self._timeout if read is None else read, connect=self._connect_timeout)

    async def close(self) -> None:
        """Closes all connections; more than once is once."""
        for client in (self._http, self._poll):
            if client is not None and not client.is_closed:
                await client.aclose()
        if self._is_watching:
            self._is_watching = False
            unwatch_logs()

    async def post(
        self, url: str, method: str, fields: Mapping[str, Any], files: Any, *, as_get: bool, is_poll: bool, read: float
    ) -> httpx.Response:
        """Sends one request; raises `NetworkError` with what the HTTP client says as its cause."""
        client = self.poll if is_poll else self.http
        options: dict[str, Any] = {"timeout": self.timeout(read), "follow_redirects": False}
        try:
            for left in range(_MOST_REDIRECTS, -1, -1):
                if as_get:
                    answer = await client.get(url, params=fields, **options)
                else:
                    answer = await client.post(url, data=fields, files=files, **options)
                if not answer.is_redirect:
                    return answer
                if not left:
                    raise ServerError(f"{method}: more than {_MOST_REDIRECTS} redirects", answer.status_code)
                url = _same_origin(url, answer, method)
        except httpx.HTTPError as fault:
            raise_network_error(fault, f"{method} at {_origin(url)}")
        raise AssertionError("unreachable")

    def _client(self, connections: int) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            timeout=self.timeout(),
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            proxy=self._proxy,
            verify=self._context(),
            follow_redirects=False,
        )

    def _context(self) -> ssl.SSLContext | bool:
        if isinstance(self._verify, ssl.SSLContext):
            return self._verify
        if self._verify is False:
            return False
        return _context("" if self._verify is True else str(self._verify), str(self._extra_ca or ""))

    def _watch(self) -> None:
        if not self._is_watching:
            self._is_watching = True
            watch_logs()


@cache
def _context(bundle: str, extra_ca: str) -> ssl.SSLContext:
    """Whom to trust: a bundle in place of this machine's authorities, or those and the well-known ones; and more.

    Reading hundreds of certificates takes long enough to do it once.
    """
    place = Path(bundle)
    if not bundle:
        context = ssl.create_default_context()
        context.load_verify_locations(certifi.where())
    elif place.is_dir():
        context = ssl.create_default_context(capath=bundle)
    else:
        context = ssl.create_default_context(cafile=bundle)
    if extra_ca:
        context.load_verify_locations(extra_ca)
    return context


def read_answer(method: str, answer: httpx.Response) -> dict[str, Any]:
    """The JSON object of an answer.

    Raises:
        APIError: The server refuses, in its own words; a subclass where those are known.
        ServerError: It is a fault of the server or no JSON object.
    """
    data = _json(answer)
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
        wait = read_retry_after(answer.headers.get("retry-after"))
        raise RateLimited(method, _description(data) or "Too many requests", wait)
    if data is not None and data.get("ok") is False and answer.status_code < 500:
        raise refusal(method, _description(data) or "Unknown error")
    if answer.is_error or data is None:
        what = _description(data) or (answer.reason_phrase if answer.is_error else "the answer is not a JSON object")
        raise ServerError(f"{method}: HTTP {answer.status_code}: {what}", answer.status_code) from status_error(answer)
    return data


def refusal(method: str, description: str) -> APIError:
    """The error for the server's words."""
    for pattern, kind in _REFUSALS:
        if pattern.search(description):
            return kind(method, description)
    return APIError(method, description)


def status_error(answer: httpx.Response) -> httpx.HTTPStatusError:
    """The HTTP client's error for an answer, without the token that the request holds."""
    request = _clean(answer.request)
    copy = httpx.Response(answer.status_code, request=request)
    return httpx.HTTPStatusError(f"{answer.status_code} {answer.reason_phrase}", request=request, response=copy)


def raise_network_error(fault: httpx.HTTPError, where: str) -> NoReturn:
    """Raises what became of a request that got no answer."""
    if isinstance(fault, httpx.RequestError) and fault._request is not None:
        fault.request = _clean(fault.request)
    fault.args = tuple(redact(str(arg)) for arg in fault.args)
    what = f"{where}: {str(fault) or type(fault).__name__}"
    if _is_certificate(fault):
        raise TLSError(
            f"{what}. If the server's certificate is signed by an authority of your company or country, pass its PEM "
            "file as extra_ca=... or set VKTEAMS_CA"
        ) from fault
    raise NetworkError(what) from fault


def was_sent(fault: BaseException) -> bool:
    """Whether a request that failed may have reached the server."""
    cause = fault.__cause__ if isinstance(fault, NetworkError) else None
    return not isinstance(cause, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.ProxyError)


def is_read_timeout(fault: BaseException) -> bool:
    """Whether the server took longer than we wait."""
    return isinstance(fault, NetworkError) and isinstance(fault.__cause__, httpx.ReadTimeout)


def _json(answer: httpx.Response) -> dict[str, Any] | None:
    try:
        data = msgspec.json.decode(answer.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return data if isinstance(data, dict) else None


def _description(data: Mapping[str, Any] | None) -> str:
    return str((data or {}).get("description") or "")


def _same_origin(url: str, answer: httpx.Response, method: str) -> str:
    target: str = urljoin(url, answer.headers.get("location", ""))
    if _origin(target) != _origin(url):
        raise ServerError(
            f"{method}: {_origin(url)} redirects to {_origin(target)}; the token does not go there. Is api_url right?",
            answer.status_code,
        )
    return target


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _clean(request: httpx.Request) -> httpx.Request:
    return httpx.Request(request.method, redact(str(request.url)))


def _is_certificate(fault: BaseException | None) -> bool:
    while fault is not None:
        if isinstance(fault, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(fault):
            return True
        fault = fault.__cause__ or fault.__context__
    return False


__all__ = [
    "Session",
    "is_read_timeout",
    "raise_network_error",
    "read_answer",
    "refusal",
    "status_error",
    "was_sent",
]
