"""Routes gathered under a prefix, to be included in an application or in another router."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, Unpack

from spikard.config import RouteConfig
from spikard.errors import RouteError
from spikard.responses.event_stream import KEEP_ALIVE_SECONDS
from spikard.routing.event_source import event_route
from spikard.routing.hooks import HookRegistration
from spikard.routing.route import (
    Declaration,
    EventKeywords,
    HttpMethod,
    RouteKeywords,
    RouteOptions,
    SocketRouteKeywords,
    socket_route_options,
)

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Inclusion:
    """Where a router has been included, and how."""

    parent: "Router"
    prefix: str
    options: RouteOptions


class Router(HookRegistration):
    """Registers routes; the decorators give the function back unchanged.

        items = Router(prefix="/items", tags=["items"])

        @items.get("/{item_id:int}")
        async def read(item_id: int) -> Item: ...

        app.include_router(items)

    Routes added after the router has been included appear in the application too.
    """

    def __init__(
        self,
        prefix: str = "",
        *,
        tags: Sequence[str] = (),
        dependencies: Sequence[Any] = (),
        config: RouteConfig | None = None,
        responses: dict[int | str, Any] | None = None,
        include_in_schema: bool = True,
    ) -> None:
        HookRegistration.__init__(self)
        self.prefix = _checked_prefix(prefix)
        self._defaults = RouteOptions(
            tags=tuple(tags),
            dependencies=tuple(dependencies),
            config=config,
            responses=responses,
            include_in_schema=include_in_schema,
        )
        self._declarations: list[Declaration] = []
        self._inclusions: list[Inclusion] = []

    def register_route(self, method: str, path: str, **options: Unpack[RouteKeywords]) -> Callable[[F], F]:
        """Register the decorated function for one method and path."""
        return self._registration((method,), path, RouteOptions(**options))

    def route(
        self,
        path: str,
        method: str | Sequence[str] = "GET",
        *,
        methods: str | Sequence[str] | None = None,
        **options: Unpack[RouteKeywords],
    ) -> Callable[[F], F]:
        """Register the decorated function for one or several methods."""
        return self._registration(listed(method if methods is None else methods), path, RouteOptions(**options))

    def get(self, path: str, **options: Unpack[RouteKeywords]) -> Callable[[F], F]:
        """Register a GET handler; it answers HEAD as well."""
        return self._registration(("GET",), path, RouteOptions(**options))

    def post(self, path: str, **options: Unpack[RouteKeywords]) -> Callable[[F], F]:
        """Register a POST handler."""
        return self._registration(("POST",), path, RouteOptions(**options))

    def put(self, path: str, **options: Unpack[RouteKeywords]) -> Callable[[F], F]:
        """Register a PUT handler."""
        return self._registration(("PUT",), path, RouteOptions(**options))

    def patch(self, path: str, **options: Unpack[RouteKeywords]) -> Callable[[F], F]:
        """Register a PATCH handler."""
        return self._registration(("PATCH",), path, RouteOptions(**options))

    def delete(self, path: str, **options: Unpack[RouteKeywords]) -> Callable[[F], F]:
        """Register a DELETE handler."""
        return self._registration(("DELETE",), path, RouteOptions(**options))

    def head(self, path: str, **options: Unpack[RouteKeywords]) -> Callable[[F], F]:
        """Register a HEAD handler of its own, in place of the one a GET route brings."""
        return self._registration(("HEAD",), path, RouteOptions(**options))

    def options(self, path: str, **options: Unpack[RouteKeywords]) -> Callable[[F], F]:
        """Register an OPTIONS handler of its own, in place of the automatic answer."""
        return self._registration(("OPTIONS",), path, RouteOptions(**options))

    def trace(self, path: str, **options: Unpack[RouteKeywords]) -> Callable[[F], F]:
        """Register a TRACE handler."""
        return self._registration(("TRACE",), path, RouteOptions(**options))

    def sse(
        self,
        path: str,
        *,
        event_schema: Mapping[str, Any] | None = None,
        keep_alive: float | None = KEEP_ALIVE_SECONDS,
        validate: str = "log",
        **options: Unpack[EventKeywords],
    ) -> Callable[[F], F]:
        """Register a generator, or a producer of events, whose items a GET request receives as they come.

        An event that does not fit the schema is logged; with `validate="strict"` it ends the stream.
        """

        def register(source: F) -> F:
            handler, route_options = event_route(
                source,
                RouteOptions(**options),
                event_schema=event_schema,
                keep_alive=keep_alive,
                validate=validate,
            )
            self._registration(("GET",), path, route_options)(handler)
            return source

        return register

    def websocket(self, path: str, **options: Unpack[SocketRouteKeywords]) -> Callable[[F], F]:
        """Register a handler of WebSockets: of each message, of a whole connection, or an object with methods."""
        return self._registration(("GET",), path, socket_route_options(options))

    def include_router(
        self,
        router: "Router",
        *,
        prefix: str = "",
        tags: Sequence[str] = (),
        dependencies: Sequence[Any] = (),
        config: RouteConfig | None = None,
    ) -> None:
        """Take in the routes of another router, those it has and those it will get."""
        if router is self or self._is_inside(router):
            msg = f"router {router.prefix or '/'!r} cannot be included in itself"
            raise RouteError(msg)
        options = RouteOptions(tags=tuple(tags), dependencies=tuple(dependencies), config=config)
        inclusion = Inclusion(self, _checked_prefix(prefix), options)
        for declaration in list(router._declarations):
            self._admit_included(inclusion, declaration)
        router._inclusions.append(inclusion)

    @contextmanager
    def group(
        self,
        prefix: str,
        *,
        tags: Sequence[str] = (),
        dependencies: Sequence[Any] = (),
        config: RouteConfig | None = None,
        responses: dict[int | str, Any] | None = None,
        include_in_schema: bool = True,
    ) -> Iterator["Router"]:
        """A router of its own for the block, included at the end of it.

        with app.group("/api/v1", tags=["v1"]) as api:
            api.get("/ping")(ping)
        """
        router = Router(
            prefix,
            tags=tags,
            dependencies=dependencies,
            config=config,
            responses=responses,
            include_in_schema=include_in_schema,
        )
        yield router
        self.include_router(router)

    def _registration(self, methods: Sequence[str], path: str, options: RouteOptions) -> Callable[[F], F]:
        names = tuple(checked_method(method) for method in methods)

        def register(handler: F) -> F:
            for name in names:
                declaration = Declaration(name, path, handler, options)
                self._admit(declaration.below(self.prefix, self._defaults))
            return handler

        return register

    def _admit(self, declaration: Declaration) -> None:
        """Take a route whose path and options are complete as far as this router goes."""
        declaration = declaration.within(self._hooks)
        # Outwards first: what the application refuses is not kept here either.
        for inclusion in self._inclusions:
            inclusion.parent._admit_included(inclusion, declaration)
        self._declarations.append(declaration)

    def _admit_included(self, inclusion: Inclusion, declaration: Declaration) -> None:
        inner = declaration.below(inclusion.prefix, inclusion.options)
        self._admit(inner.below(self.prefix, self._defaults))

    def _is_inside(self, router: "Router") -> bool:
        return any(inclusion.parent is router or inclusion.parent._is_inside(router) for inclusion in self._inclusions)


def listed(methods: str | Sequence[str]) -> tuple[str, ...]:
    """One name or several, as a tuple without repetitions."""
    names = (methods,) if isinstance(methods, str) else tuple(methods)
    if not names:
        msg = "a route needs at least one method"
        raise RouteError(msg)
    return tuple(dict.fromkeys(name.upper() for name in names))


def checked_method(method: str) -> str:
    """The method in upper case; RouteError for one that routes cannot have."""
    try:
        return HttpMethod(method.upper()).value
    except ValueError:
        known = ", ".join(HttpMethod)
        msg = f"{method!r} is not a method routes can be registered for; use one of {known}"
        raise RouteError(msg) from None


def _checked_prefix(prefix: str) -> str:
    if prefix and not prefix.startswith("/"):
        msg = f"a prefix starts with a slash: {'/' + prefix!r}, not {prefix!r}"
        raise RouteError(msg)
    return prefix


__all__ = ["Inclusion", "Router", "checked_method", "listed"]
