"""A registered WebSocket: what is known of its messages, and the plan of its handler."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from spikard.config import UNSET, RouteConfig
from spikard.errors import RouteError
from spikard.routing.handler_plan import HandlerPlan
from spikard.routing.plan import WEBSOCKET, Provided, compile_plan
from spikard.routing.route import Declaration, Schema
from spikard.routing.socket_options import SocketOptions
from spikard.routing.socket_style import style_of
from spikard.schema.extract import extract_json_schema, response_schema


@dataclass(frozen=True, slots=True)
class SocketRoute:
    """A path that speaks WebSocket, for descriptions of the application."""

    path: str
    handler: Callable[..., Any]
    handler_name: str
    message_schema: Schema | None
    response_schema: Schema | None
    name: str | None = None
    tags: tuple[str, ...] = ()
    summary: str | None = None
    description: str | None = None
    deprecated: bool = False
    include_in_schema: bool = True
    security: Any = UNSET
    subprotocols: tuple[str, ...] = ()
    config: RouteConfig | None = None
    plan: HandlerPlan | None = field(default=None, repr=False, compare=False)


def compile_socket(
    declaration: Declaration, socket: SocketOptions, provided: Provided | None = None
) -> tuple[HandlerPlan, SocketRoute]:
    """Compile a WebSocket's handler; RouteError says what in it cannot be served."""
    options, handler = declaration.options, declaration.handler
    style = style_of(handler, declaration.path, provided)
    explicit = dict(socket.message_schema) if socket.message_schema is not None else None
    received = explicit
    if received is None and style.is_object and style.received is not Any:
        received = extract_json_schema(style.received)
    plan = compile_plan(
        style.entry,
        method=WEBSOCKET,
        path=declaration.path,
        body_schema=received if style.is_object else explicit,
        parameter_schema=options.parameter_schema,
        inline=options.inline,
        config=options.config,
        provided=provided,
        message=style.message,
    )
    if plan.body is not None:
        received = plan.body.schema
    replied = socket.response_schema
    try:
        # The type of a reply says what it looks like; only a schema is a promise that each one is held to.
        socket_plan = socket.plan(is_message_style=style.message is not None, reply_schema=replied)
    except ValueError as fault:
        raise RouteError(f"{plan.name} ({plan.location}): response_schema: {fault}") from fault
    route = SocketRoute(
        path=declaration.path,
        handler=handler,
        handler_name=getattr(handler, "__name__", type(handler).__name__),
        message_schema=received,
        response_schema=dict(replied) if replied is not None else _reply_schema(style.replied),
        name=options.name,
        tags=tuple(options.tags),
        summary=options.summary,
        description=options.description,
        deprecated=options.deprecated,
        include_in_schema=options.include_in_schema,
        security=options.security,
        subprotocols=tuple(socket.subprotocols),
        config=options.config,
        plan=plan,
    )
    return replace(plan, socket=socket_plan, response_class=None), route


def _reply_schema(annotation: Any) -> Schema | None:
    try:
        return response_schema(annotation)
    except (TypeError, NameError):
        return None


__all__ = ["SocketRoute", "compile_socket"]
