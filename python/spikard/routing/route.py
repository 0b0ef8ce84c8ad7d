"""One method and path with its handler, and everything declared about it."""

import enum
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self, TypedDict

from spikard.config import UNSET, RouteConfig
from spikard.routing.handler_plan import HandlerPlan
from spikard.routing.hooks import HookSet
from spikard.routing.socket_options import SocketKeywords, SocketOptions

Handler = Callable[..., Any]
Schema = dict[str, Any]


class HttpMethod(enum.StrEnum):
    """The methods a route can be registered for."""

    GET = "GET"
    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"
    HEAD = "HEAD"
    OPTIONS = "OPTIONS"
    TRACE = "TRACE"


class EventKeywords(TypedDict, total=False):
    """The further keywords of `sse`."""

    parameter_schema: Schema | None
    name: str | None
    tags: Sequence[str]
    summary: str | None
    description: str | None
    deprecated: bool
    include_in_schema: bool
    security: Any
    config: RouteConfig | None
    dependencies: Sequence[Any]
    responses: Mapping[int | str, Any] | None


class SocketRouteKeywords(SocketKeywords, total=False):
    """The keywords of `websocket`."""

    parameter_schema: Schema | None
    name: str | None
    tags: Sequence[str]
    summary: str | None
    description: str | None
    deprecated: bool
    include_in_schema: bool
    security: Any
    config: RouteConfig | None
    dependencies: Sequence[Any]
    inline: bool


class RouteKeywords(TypedDict, total=False):
    """The keywords every registration method takes."""

    body_schema: Schema | None
    parameter_schema: Schema | None
    file_params: Schema | None
    response_schema: Schema | None
    status_code: int | None
    response_class: type | None
    name: str | None
    tags: Sequence[str]
    summary: str | None
    description: str | None
    deprecated: bool
    include_in_schema: bool
    security: Any
    config: RouteConfig | None
    dependencies: Sequence[Any]
    responses: Mapping[int | str, Any] | None
    inline: bool
    consumes: Sequence[str]
    produces: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteOptions:
    """What the keywords of a registration say; every one of them may be left out."""

    body_schema: Schema | None = None
    parameter_schema: Schema | None = None
    file_params: Schema | None = None
    response_schema: Schema | None = None
    status_code: int | None = None
    response_class: type | None = None
    name: str | None = None
    tags: Sequence[str] = ()
    summary: str | None = None
    description: str | None = None
    deprecated: bool = False
    include_in_schema: bool = True
    security: Any = UNSET
    config: RouteConfig | None = None
    dependencies: Sequence[Any] = ()
    responses: Mapping[int | str, Any] | None = None
    inline: bool = False
    # What `sse` was given, for a route whose answer is a stream of events.
    event_source: Any = None
    # Of a route that `websocket` registered.
    socket: SocketOptions | None = None
    consumes: Sequence[str] = ()
    produces: Sequence[str] = ()

    def below(self, outer: Self) -> Self:
        """These options as they are inside a router with the options `outer`."""
        return replace(
            self,
            tags=(*outer.tags, *(tag for tag in self.tags if tag not in outer.tags)),
            dependencies=(*outer.dependencies, *self.dependencies),
            responses={**(outer.responses or {}), **(self.responses or {})} or None,
            include_in_schema=outer.include_in_schema and self.include_in_schema,
            config=inherit(self.config, outer.config),
        )


@dataclass(frozen=True, slots=True)
class Declaration:
    """A route as a router holds it: the path is relative, nothing is compiled."""

    method: str
    path: str
    handler: Handler
    options: RouteOptions
    # Those of the routers it is in, the outermost first.
    hooks: tuple[HookSet, ...] = ()

    def below(self, prefix: str, outer: RouteOptions) -> "Declaration":
        """The same route seen from outside a router with this prefix and these options."""
        return replace(self, path=join_paths(prefix, self.path), options=self.options.below(outer))

    def within(self, hooks: HookSet) -> "Declaration":
        """The same route as one of the router with these hooks."""
        return replace(self, hooks=(hooks, *self.hooks))


@dataclass(frozen=True)
class Route:
    """One registered route: method and full path, the handler, and what is known about its data."""

    method: str
    path: str
    handler: Handler
    handler_name: str
    request_schema: Schema | None
    response_schema: Schema | None
    parameter_schema: Schema | None = None
    file_params: Schema | None = None
    is_async: bool = False
    body_param_name: str | None = None
    name: str | None = None
    tags: tuple[str, ...] = ()
    summary: str | None = None
    description: str | None = None
    deprecated: bool = False
    include_in_schema: bool = True
    security: Any = UNSET
    config: RouteConfig | None = None
    dependencies: tuple[Any, ...] = ()
    responses: Mapping[int | str, Any] | None = None
    status_code: int | None = None
    # What `sse` was given; the response schema is then that of each event.
    event_source: Any = None
    # As declared, and what became of it.
    options: RouteOptions = field(default_factory=RouteOptions, repr=False, compare=False)
    plan: HandlerPlan | None = field(default=None, repr=False, compare=False)


def inherit(inner: RouteConfig | None, outer: RouteConfig | None) -> RouteConfig | None:
    """The inner configuration, with what it leaves unset taken from the outer one."""
    if inner is None or outer is None:
        return inner or outer
    # A field without UNSET as its default counts as unset while it has that default.
    unset = [one.name for one in fields(inner) if getattr(inner, one.name) in (UNSET, one.default)]
    return replace(inner, **{name: getattr(outer, name) for name in unset})


def socket_route_options(keywords: Mapping[str, Any]) -> RouteOptions:
    """The keywords of `websocket`, those of the socket apart from those of every route."""
    own = {field.name for field in fields(SocketOptions)}
    socket = SocketOptions(**{name: value for name, value in keywords.items() if name in own})
    return RouteOptions(socket=socket, **{name: value for name, value in keywords.items() if name not in own})


def join_paths(prefix: str, path: str) -> str:
    """Put a prefix before a path with exactly one slash between them."""
    if not prefix or not path:
        return prefix + path
    return prefix.rstrip("/") + (path if path.startswith("/") else "/" + path)


def is_async(handler: Handler) -> bool:
    """Whether calling the handler gives a coroutine."""
    unwrapped = inspect.unwrap(handler)
    if inspect.iscoroutinefunction(unwrapped):
        return True
    call = getattr(unwrapped, "__call__", None)  # noqa: B004
    return inspect.iscoroutinefunction(call)
