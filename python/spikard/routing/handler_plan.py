"""What a route's handler needs, compiled once; the native side reads it by attribute."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from spikard._spikard import JsonSchema

Mode = Literal["task", "direct", "inline", "thread"]
Source = Literal["path", "query", "header", "cookie"]
BodyKind = Literal["json", "bytes", "text", "form", "multipart"]
Argument = tuple[str, Any]


@dataclass(frozen=True, slots=True)
class ParameterPlan:
    """One value of path, query, headers or cookies: where it is, what it must be, how it is delivered."""

    name: str
    wire_name: str
    source: Source
    required: bool
    schema: dict[str, Any]
    separator: str | None
    typed: bool
    convert: Callable[[Any], Any] | None
    secret: bool
    default: Any
    default_factory: Callable[[], Any] | None


@dataclass(frozen=True, slots=True)
class BodyPlan:
    """The body: what it must be and how it is built.

    `decode` takes the bytes of a JSON document, `convert` a tree of plain values. `errors` turns what they
    raise into the faults of a 422, or gives None for what is no fault of the body.
    """

    kind: BodyKind
    media_types: tuple[str, ...]
    schema: dict[str, Any] | None
    decode: Callable[[bytes], Any]
    convert: Callable[[Any], Any]
    errors: Callable[[Exception], list[dict[str, Any]] | None]
    required: bool
    default: Any
    default_factory: Callable[[], Any] | None
    fields: tuple[str, ...]
    name: str
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    # Files that the schema of a form's fields is not to see.
    apart: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketPlan:
    """What makes a route a WebSocket: how its handler is called, and the limits of its sockets."""

    is_message_style: bool
    max_message_size: int
    ping_interval: float | None
    ping_timeout: float | None
    idle_timeout: float | None
    compression: bool
    subprotocols: tuple[str, ...]
    queue: int
    closes_on_overflow: bool
    closes_invalid: bool
    reply_schema: JsonSchema | None
    strict: bool


@dataclass(frozen=True, slots=True)
class HandlerPlan:
    """How a request becomes a call of the handler."""

    handler: Callable[..., Any]
    name: str
    location: str
    mode: Mode
    parameters: tuple[ParameterPlan, ...]
    body: BodyPlan | None
    arguments: tuple[Argument, ...]
    keyword_names: tuple[str, ...]
    var_keyword: bool
    status_code: int | None
    response_class: type | None
    response_schema: dict[str, Any] | None
    route_options: Mapping[str, Any]
    # A query model that forbids unknown keys: a name that no parameter has is a fault.
    closed_query: bool = False
    # Hooks that run before the body is read, as a function of the request.
    gate: Callable[..., Any] | None = None
    # Whether hooks see what becomes of the route's requests, refusals included.
    is_hooked: bool = False
    socket: SocketPlan | None = None
    # Types the route answers with; a request that takes none of them is refused.
    produces: tuple[str, ...] = ()
    # Whether what it leads requests on to runs in its context.
    shares_context: bool = False
    # Whether JSON answers are held to the response schema.
    checks_response: bool = False


__all__ = ["Argument", "BodyKind", "BodyPlan", "HandlerPlan", "Mode", "ParameterPlan", "SocketPlan", "Source"]
