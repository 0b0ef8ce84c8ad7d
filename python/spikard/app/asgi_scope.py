"""Requests as ASGI scopes, and scopes as requests."""

from collections.abc import AsyncIterator, MutableMapping
from typing import Any
from urllib.parse import quote

from spikard._spikard import Headers, Request, build_request
from spikard.app.asgi_call import Message, Receive, Scope, headers_of

# Under this key a scope of ours carries the request it was made of.
REQUEST = "spikard.request"
# What may stand in a path unescaped.
PATH_SAFE = "/-._~!$&'()*+,;=:@"


def scope_of(request: Request, *, root_path: str = "", state: MutableMapping[str, Any] | None = None) -> dict[str, Any]:
    """The scope of a request; the path is whole, `root_path` is what of it has led to the application."""
    host, _, port = request.host.rpartition(":") if not request.host.endswith("]") else (request.host, "", "")
    server = (host, int(port)) if port.isdecimal() else (request.host, 443 if request.scheme == "https" else 80)
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": request.http_version,
        "method": request.method,
        "scheme": request.scheme,
        "path": request.path,
        "raw_path": request.raw_path,
        "query_string": request.query_string.encode(),
        "root_path": root_path,
        "headers": header_pairs(request.headers),
        "client": request.client,
        "server": server,
        "state": {} if state is None else state,
        "extensions": {},
    }


def header_pairs(headers: Headers) -> list[tuple[bytes, bytes]]:
    """Headers as the pairs of bytes that ASGI has, names in lower case."""
    return [(name.encode("latin-1"), value.encode()) for name, value in headers.items()]


def request_of(scope: Scope) -> Request:
    """The request of a scope: the one it was made of, with what has been changed in the scope since, or a new one."""
    known = scope.get(REQUEST)
    return _foreign(scope) if known is None else _updated(known, scope)


def _updated(request: Request, scope: Scope) -> Request:
    if scope["method"] != request.method:
        request.method = scope["method"]
    if scope["path"] != request.path:
        request.path = scope["path"]
    query = scope["query_string"].decode("latin-1")
    if query != request.query_string:
        request.query_params = query
    if list(scope["headers"]) != header_pairs(request.headers):
        request.headers = headers_of(scope["headers"])
    return request


def target_of(scope: Scope) -> str:
    """Path and query of a scope; what another server has stripped or led to is no part of the path here."""
    path, root_path = scope["path"], scope.get("root_path", "")
    raw = scope.get("raw_path")
    target = raw.decode("latin-1").partition("?")[0] if raw else quote(path, safe=PATH_SAFE)
    if root_path and (path == root_path or path.startswith(root_path + "/")):
        target = quote(path[len(root_path) :] or "/", safe=PATH_SAFE)
    if query := scope.get("query_string"):
        target += "?" + query.decode("latin-1")
    return target or "/"


def _foreign(scope: Scope) -> Request:
    """A request that another server has taken."""
    request = build_request(
        scope["method"],
        target_of(scope),
        [(bytes(name), bytes(value)) for name, value in scope["headers"]],
        http_version=scope.get("http_version", "1.1"),
        secure=scope.get("scheme") == "https",
        client=address_of(scope.get("client")),
        server=address_of(scope.get("server")),
    )
    for name, value in scope.get("state", {}).items():
        request.state[name] = value
    return request


def address_of(pair: Any) -> tuple[str, int] | None:
    """A host and a port; None for the name of a socket."""
    return (pair[0], pair[1]) if pair and pair[1] is not None else None


async def chunks_of(receive: Receive) -> AsyncIterator[bytes]:
    """The body that a channel brings."""
    more = True
    while more:
        message: Message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionResetError("the client has gone")
        chunk = bytes(message.get("body", b""))
        if chunk:
            yield chunk
        more = message.get("more_body", False)


__all__ = ["REQUEST", "address_of", "chunks_of", "header_pairs", "request_of", "scope_of", "target_of"]
