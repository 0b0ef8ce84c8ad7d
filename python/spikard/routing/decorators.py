"""Registration on the current application, for small files: `@spikard.get("/")`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, Unpack

from spikard.responses.event_stream import KEEP_ALIVE_SECONDS
from spikard.routing.current import current
from spikard.routing.route import EventKeywords, RouteKeywords, SocketRouteKeywords
from spikard.routing.router import Router

F = TypeVar("F", bound=Callable[..., Any])


def get(path: str, **options: Unpack[RouteKeywords]) -> Callable[[F], F]:
    """Register a GET handler on the current application."""
    return _application("get").get(path, **options)


def post(path: str, **options: Unpack[RouteKeywords]) -> Callable[[F], F]:
    """Register a POST handler on the current application."""
    return _application("post").post(path, **options)


def put(path: str, **options: Unpack[RouteKeywords]) -> Callable[[F], F]:
    """Register a PUT handler on the current application."""
    return _application("put").put(path, **options)


def patch(path: str, **options: Unpack[RouteKeywords]) -> Callable[[F], F]:
    """Register a PATCH handler on the current application."""
    return _application("patch").patch(path, **options)


def delete(path: str, **options: Unpack[RouteKeywords]) -> Callable[[F], F]:
    """Register a DELETE handler on the current application."""
    return _application("delete").delete(path, **options)


def head(path: str, **options: Unpack[RouteKeywords]) -> Callable[[F], F]:
    """Register a HEAD handler on the current application."""
    return _application("head").head(path, **options)


def options(path: str, **options: Unpack[RouteKeywords]) -> Callable[[F], F]:
    """Register an OPTIONS handler on the current application."""
    return _application("options").options(path, **options)


def trace(path: str, **options: Unpack[RouteKeywords]) -> Callable[[F], F]:
    """Register a TRACE handler on the current application."""
    return _application("trace").trace(path, **options)


def route(
    path: str,
    http_method: str | Sequence[str] | None = None,
    *,
    methods: str | Sequence[str] | None = None,
    **options: Unpack[RouteKeywords],
) -> Callable[[F], F]:
    """Register a handler for one or several methods on the current application; GET when none is named."""
    return _application("route").route(path, http_method or methods or "GET", **options)


def sse(
    path: str,
    *,
    event_schema: Mapping[str, Any] | None = None,
    keep_alive: float | None = KEEP_ALIVE_SECONDS,
    validate: str = "log",
    **options: Unpack[EventKeywords],
) -> Callable[[F], F]:
    """Register a source of server-sent events on the current application."""
    router = _application("sse")
    return router.sse(path, event_schema=event_schema, keep_alive=keep_alive, validate=validate, **options)


def websocket(path: str, **options: Unpack[SocketRouteKeywords]) -> Callable[[F], F]:
    """Register a handler of WebSockets on the current application."""
    return _application("websocket").websocket(path, **options)


def _application(decorator: str) -> Router:
    application = current()
    if application is None:
        msg = f"spikard.{decorator} needs an application: build one first, app = Spikard()"
        raise RuntimeError(msg)
    return application
