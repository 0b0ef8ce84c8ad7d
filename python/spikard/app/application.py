"""The application: routes, handlers of faults, life, and the ways to run it."""

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Self, TypeVar, Unpack
from weakref import WeakKeyDictionary

from spikard._spikard import Application
from spikard.app import runner, serving
from spikard.app.asgi_call import AsgiApp, Receive, Scope, Send
from spikard.app.asgi_server import AsgiServer
from spikard.app.channels import Channels
from spikard.app.description import SelfDescription
from spikard.app.faults import FaultHandling
from spikard.app.lifespan import Hook, LifecycleHooks, LifespanFactory
from spikard.app.middleware import MiddlewareStack
from spikard.app.mounting import MountedApp, mounted
from spikard.config import UNSET, RouteConfig, ServerConfig, StaticFilesConfig
from spikard.config.static_files import StaticFilesKeywords
from spikard.datastructures import State
from spikard.di.container import Container
from spikard.errors import RouteError
from spikard.routing import current
from spikard.routing.hooks import HookSet
from spikard.routing.injection import GIVEN, needs_injection, placeholder
from spikard.routing.plan import HandlerPlan, compile_plan
from spikard.routing.route import Declaration, Route, is_async
from spikard.routing.router import Router
from spikard.routing.socket_options import SocketOptions
from spikard.routing.socket_route import SocketRoute, compile_socket
from spikard.routing.url import build_path
from spikard.security import Requirement

H = TypeVar("H", bound=Hook)

# Where a stream is to go on: asked for by name, it is the header and no query parameter.
EVENT_HEADERS = frozenset({"last_event_id"})


class ApplicationType(type):
    """Lets `Spikard.current_instance` follow the context."""

    @property
    def current_instance(cls) -> "Spikard | None":
        """The application built last, or the one of the test client this context has entered."""
        application = current.current()
        return application if isinstance(application, Spikard) else None

    @current_instance.setter
    def current_instance(cls, application: "Spikard | None") -> None:
        current.set_current(application)


class Spikard(Router, FaultHandling, SelfDescription, metaclass=ApplicationType):
    """A web application.

    app = Spikard()

    @app.get("/hello/{name}")
    async def hello(name: str) -> dict[str, str]:
        return {"message": f"Hello, {name}"}

    if __name__ == "__main__":
        app.run()
    """

    def __init__(
        self,
        config: ServerConfig | None = None,
        *,
        debug: bool = False,
        lifespan: LifespanFactory | None = None,
        container: Container | None = None,
        state: Mapping[str, Any] | None = None,
    ) -> None:
        Router.__init__(self)
        FaultHandling.__init__(self)
        SelfDescription.__init__(self)
        self.config = config or ServerConfig()
        self.debug = debug
        self.state = State(state)
        self.container = Container() if container is None else container
        self.container.expect(*GIVEN)
        self._has_own_container = container is not None
        self._lifespan = lifespan
        self._lifecycle = LifecycleHooks()
        self._routes: list[Route] = []
        # All the native side has, in its order: a route, its plan, the hooks of its routers, the outermost first.
        self._plans: list[tuple[Route | SocketRoute, HandlerPlan, tuple[HookSet, ...]]] = []
        self._sockets: list[SocketRoute] = []
        self.channels = Channels()
        # Those that the container has a part in; their calls are compiled at the start.
        self._injected: set[int] = set()
        self._middleware = MiddlewareStack()
        self._mounts: list[MountedApp] = []
        self._asgi_servers: WeakKeyDictionary[asyncio.AbstractEventLoop, AsgiServer] = WeakKeyDictionary()
        self._native = Application(self)
        current.set_current(self)

    def on_startup(self, hook: H) -> H:
        """Run a function before the first request is accepted; it may take the application as its argument."""
        self._lifecycle.startup.append(hook)
        return hook

    def on_shutdown(self, hook: H | None = None, *, early: bool = False) -> Any:
        """Run a function after the last request; with `early=True` as soon as the stop begins, while requests drain."""
        hooks = self._lifecycle.shutdown_early if early else self._lifecycle.shutdown

        def register(function: H) -> H:
            hooks.append(function)
            return function

        return register if hook is None else register(hook)

    def provide(self, key: Any, provider_or_value: Any) -> Self:
        """Tell the container how to get a value; handlers ask for it by their parameters' annotation or name.

            app.provide("settings", {"currency": "EUR"})  # a value
            app.provide(Database, Provide(connect, singleton=True))

        A class or a function is called once for each request.
        """
        self.container.provide(key, provider_or_value)
        return self

    def add_middleware(self, middleware: Callable[..., Any], **options: Any) -> None:
        """Put middleware around the whole application; what is added last is the outermost.

        It is `async def middleware(request, call_next)`, or an ASGI middleware class, which is made with the
        application it wraps and the options.

            @app.add_middleware
            async def timed(request, call_next):
                began = time.perf_counter()
                response = await call_next(request)
                response.headers["x-seconds"] = f"{time.perf_counter() - began:.6f}"
                return response
        """
        self._middleware.add(middleware, options)

    def mount(self, path: str, app: AsgiApp) -> None:
        """Let an ASGI application, or another Spikard, answer all below a path that no route of this one matches."""
        self._mounts.append(mounted(path, app))

    @property
    def asgi(self) -> AsgiApp:
        """This application for other ASGI servers: `uvicorn module:app.asgi`."""
        return self

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an ASGI application."""
        loop = asyncio.get_running_loop()
        server = self._asgi_servers.get(loop)
        if server is None:
            server = self._asgi_servers[loop] = AsgiServer(self)
        await server(scope, receive, send)

    def static(
        self,
        route_prefix: str,
        directory: str | os.PathLike[str],
        **options: Unpack[StaticFilesKeywords],
    ) -> None:
        """Serve the files of a directory below a path.

        app.static("/assets", "assets", max_age=3600)
        """
        self._native.add_static(StaticFilesConfig(directory, route_prefix, **options))

    def get_routes(self) -> list[Route]:
        """All routes in the order of registration."""
        return list(self._routes)

    def get_websocket_handlers(self) -> dict[str, Any]:
        """What `websocket` was given, by path."""
        return {route.path: route.handler for route in self._sockets}

    def get_sse_producers(self) -> dict[str, Any]:
        """What `sse` was given, by path."""
        return {route.path: route.event_source for route in self._routes if route.event_source is not None}

    def url_for(self, name: str, /, **path_params: Any) -> str:
        """The path of a route as clients see it, found by its name or else by the name of its function.

        app.url_for("read_item", item_id=3)  # "/items/3"
        """
        named = [route for route in self._routes if route.name == name]
        found = named or [route for route in self._routes if route.handler_name == name]
        paths = {route.path for route in found}
        if not paths:
            msg = f"no route is named {name!r}"
            raise RouteError(msg)
        if len(paths) > 1:
            msg = f"{name!r} is ambiguous: {', '.join(sorted(paths))}; give the routes names of their own"
            raise RouteError(msg)
        return self.config.root_path + build_path(paths.pop(), path_params)

    def run(
        self,
        *,
        config: ServerConfig | None = None,
        host: str | None = None,
        port: int | None = None,
        workers: int | None = None,
        reload: bool = False,
    ) -> None:
        """Serve until a signal stops it; what is given here overrides the configuration."""
        runner.run(self, self._effective(config, host, port, workers), reload=reload)

    async def serve(
        self,
        *,
        config: ServerConfig | None = None,
        host: str | None = None,
        port: int | None = None,
        ready: "serving.Ready | None" = None,
        stop: "serving.Stop | None" = None,
    ) -> None:
        """Serve inside the running event loop until `stop` is requested or the task is cancelled.

        Signal handlers are left alone.
        """
        effective = self._effective(config, host, port, None)
        await serving.serve(self, effective, ready=ready, stop=stop)

    def _effective(
        self, config: ServerConfig | None, host: str | None, port: int | None, workers: int | None
    ) -> ServerConfig:
        given = {"host": host, "port": port, "workers": workers}
        updates = {name: value for name, value in given.items() if value is not None}
        base = config or self.config
        return base.copy(**updates) if updates else base

    def _admit(self, declaration: Declaration) -> None:
        if not declaration.path.startswith("/"):
            msg = f"a path starts with a slash: {'/' + declaration.path!r}, not {declaration.path!r}"
            raise RouteError(msg)
        _check_security(declaration)
        if declaration.options.socket is not None:
            self._admit_socket(declaration, declaration.options.socket)
            return
        plan = self._compiled(declaration, postponed=self._uses_container())
        route = _described(declaration, plan)
        held = placeholder(plan) if needs_injection(plan, ()) else plan
        self._native.add_route(declaration.method, declaration.path, held, route)
        super()._admit(declaration)
        self._routes.append(route)
        if held is not plan:
            self._injected.add(len(self._declarations) - 1)
        self._plans.append((route, held, declaration.hooks))

    def _compiled(self, declaration: Declaration, *, postponed: bool = False) -> HandlerPlan:
        plan = _compiled(declaration, self.container, postponed=postponed)
        return replace(plan, checks_response=self._checks_response(declaration.options.config))

    def _checks_response(self, config: RouteConfig | None) -> bool:
        wanted = UNSET if config is None else config.validate_response
        if wanted is UNSET:
            wanted = self.config.validate_responses
        return self.debug if wanted == "debug" else wanted in (True, "always")

    def _uses_container(self) -> bool:
        """Whether anything has been registered, or is to be."""
        return self._has_own_container or len(self.container.registrations) > len(GIVEN)

    def _admit_socket(self, declaration: Declaration, options: SocketOptions) -> None:
        plan, route = compile_socket(declaration, options, self.container.provides)
        held = placeholder(plan) if needs_injection(plan, ()) else plan
        self._native.add_route(declaration.method, declaration.path, held, route)
        super()._admit(declaration)
        if held is not plan:
            self._injected.add(len(self._declarations) - 1)
        self._sockets.append(route)
        self._plans.append((route, held, declaration.hooks))


def _check_security(declaration: Declaration) -> None:
    security = declaration.options.security
    if security is UNSET or security is None or isinstance(security, Requirement | Mapping):
        return
    if isinstance(security, list | tuple) and security and all(isinstance(one, Mapping) for one in security):
        # In the words of OpenAPI: it describes, and changes nothing.
        return
    # Taken for granted by whoever wrote it, so it must not be passed over.
    msg = f"{declaration.method} {declaration.path}: security is None or requires(...), not {security!r}"
    raise RouteError(msg)


def _compiled(declaration: Declaration, container: Container, *, postponed: bool) -> HandlerPlan:
    options = declaration.options
    return compile_plan(
        declaration.handler,
        method=declaration.method,
        path=declaration.path,
        body_schema=options.body_schema,
        parameter_schema=options.parameter_schema,
        file_params=options.file_params,
        response_schema=options.response_schema,
        status_code=options.status_code,
        response_class=options.response_class,
        inline=options.inline,
        config=options.config,
        named_headers=EVENT_HEADERS if options.event_source is not None else frozenset(),
        consumes=options.consumes,
        produces=options.produces,
        provided=container.provides,
        postponed=postponed,
    )


def _described(declaration: Declaration, plan: HandlerPlan) -> Route:
    handler, options = declaration.handler, declaration.options
    return Route(
        method=declaration.method,
        path=declaration.path,
        handler=handler,
        handler_name=getattr(handler, "__name__", type(handler).__name__),
        request_schema=options.body_schema or (plan.body.schema if plan.body else None),
        response_schema=plan.response_schema if options.event_source is None else options.response_schema,
        parameter_schema=options.parameter_schema,
        file_params=options.file_params,
        is_async=is_async(handler),
        body_param_name=plan.body.name if plan.body else None,
        name=options.name,
        tags=tuple(options.tags),
        summary=options.summary,
        description=options.description,
        deprecated=options.deprecated,
        include_in_schema=options.include_in_schema,
        security=options.security,
        config=options.config,
        dependencies=tuple(options.dependencies),
        responses=options.responses,
        status_code=options.status_code,
        event_source=options.event_source,
        options=options,
        plan=plan,
    )
