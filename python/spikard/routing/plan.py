"""The compiler from a handler's signature to its plan: which argument comes from where.

The rules, first that fits: marker; an object asked for by type; a name in the path; a name in the explicit
parameter schema; a provider; the name `body`; an upload; a structured type; an object asked for by name;
the query.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, cast, get_args

from spikard._spikard import Headers, QueryParams, Request, Response
from spikard.background import BackgroundTasks
from spikard.config import UNSET, RouteConfig
from spikard.datastructures import State
from spikard.di.key import inject_marker
from spikard.di.signature import MISSING as INJECT_MISSING
from spikard.di.signature import Parameter as InjectedParameter
from spikard.errors import RouteError
from spikard.params import MISSING, Body, Cookie, File, Form, Header, Marker, Path, Query
from spikard.routing.body import BodyDemand, plan_body
from spikard.routing.callee import Callee, inspect_handler
from spikard.routing.converters import path_names
from spikard.routing.declared import DeclaredParameter, read_parameter_schema
from spikard.routing.handler_plan import Argument, BodyPlan, HandlerPlan, ParameterPlan, Source
from spikard.routing.parameter import plan_parameter
from spikard.routing.query_model import constructor_of, forbids_extra, model_slots
from spikard.routing.router import Router
from spikard.routing.slot import Slot, slot_of, stripped
from spikard.routing.upload import is_upload
from spikard.routing.websocket import WebSocket
from spikard.schema.annotation import Annotation, is_union, peel
from spikard.schema.extract import response_schema as schema_of_return
from spikard.schema.kind import kind_of
from spikard.schema.returns import content_type_of

Provided = Callable[[str, Any], bool]

METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
BODY_NAMES = frozenset({"body", "_body"})
# Objects by annotation; a subclass of Router can only be the application.
OBJECTS: Mapping[type, str] = {
    Request: "request",
    BackgroundTasks: "background_tasks",
    State: "state",
    Headers: "headers",
    QueryParams: "query_params",
    Router: "app",
    WebSocket: "websocket",
}
# The method of plans for WebSockets, and what unannotated parameters for the socket are called.
WEBSOCKET = "WEBSOCKET"
SOCKET_NAMES = frozenset({"websocket", "ws"})
NAMED_OBJECTS = frozenset(
    {"request", "headers", "cookies", "query_params", "path_params", "method", "path", "raw_body"}
)
# Asked for by name these come as plain dicts; by annotation as the classes above.
PLAIN_OBJECTS = frozenset({"headers", "query_params"})
MAPPING_OBJECTS = frozenset({"headers", "cookies", "query_params", "path_params"})
PARAMETER_MARKERS: Mapping[type[Marker], Source] = {Path: "path", Query: "query", Header: "header", Cookie: "cookie"}


def compile_plan(
    handler: Callable[..., Any],
    *,
    method: str,
    path: str,
    body_schema: Mapping[str, Any] | None = None,
    parameter_schema: Mapping[str, Any] | None = None,
    file_params: Mapping[str, Any] | None = None,
    response_schema: Mapping[str, Any] | None = None,
    status_code: int | None = None,
    response_class: type | None = None,
    inline: bool = False,
    config: RouteConfig | None = None,
    consumes: Sequence[str] = (),
    produces: Sequence[str] = (),
    provided: Provided | None = None,
    named_headers: frozenset[str] = frozenset(),
    message: str | None = None,
    postponed: bool = False,
) -> HandlerPlan:
    """Compile a handler for one method and path; RouteError says what in its signature cannot be served.

    With `postponed` a parameter that nothing else can fill is left to the container, which may learn of it yet.
    """
    callee = inspect_handler(handler, inline=inline)
    _check_status(callee, status_code)
    _check_references(callee, "body_schema", body_schema)
    _check_references(callee, "response_schema", response_schema)
    _check_references(callee, "parameter_schema", parameter_schema)
    demand = BodyDemand(body_schema, file_params or None, tuple(consumes))
    draft = _Draft(
        callee, method.upper(), path, parameter_schema, demand, provided, named_headers, message, postponed=postponed
    )
    draft.fill()
    _check_stream(callee, draft.body, config)
    arguments, keyword_names = draft.in_call_order()
    return HandlerPlan(
        handler=handler,
        name=callee.name,
        location=callee.location,
        mode=callee.mode,
        parameters=tuple(draft.parameters),
        body=draft.body,
        arguments=arguments,
        keyword_names=keyword_names,
        var_keyword=draft.var_keyword,
        status_code=status_code,
        response_class=response_class or _response_class(callee.returns),
        response_schema=_response_schema(callee.returns, response_schema),
        route_options=_options(config),
        closed_query=draft.closed_query,
        produces=tuple(produces),
    )


class _Draft:
    """A plan in the making."""

    def __init__(
        self,
        callee: Callee,
        method: str,
        path: str,
        parameter_schema: Mapping[str, Any] | None,
        demand: BodyDemand,
        provided: Provided | None,
        named_headers: frozenset[str],
        message: str | None,
        *,
        postponed: bool,
    ) -> None:
        self.callee = callee
        self.described = callee.described
        self.method = method
        self.path = path
        self.path_names = path_names(path, self.described)
        self.declared = read_parameter_schema(parameter_schema, self.path_names, self.described)
        self.demand = demand
        self.provided = provided
        self.named_headers = named_headers
        self.message = message
        self.postponed = postponed
        self.parameters: list[ParameterPlan] = []
        self.body: BodyPlan | None = None
        self.var_keyword = False
        self.closed_query = False
        # By parameter, in the order of the signature; body slots wait until all of them are known.
        self._arguments: dict[str, Argument | None] = {}
        self._body_slots: list[Slot] = []
        self._used: set[str] = set()

    def fill(self) -> None:
        """Find a source for every parameter, then take care of what no parameter has asked for."""
        for parameter in self.callee.parameters:
            if parameter.kind is parameter.VAR_KEYWORD:
                self.var_keyword = True
                continue
            self._refuse_positional(parameter)
            slot = slot_of(parameter, self.described)
            self._arguments[slot.name] = self._argument(slot)
        self._close_body()
        self._add_declared()
        self._close_path()

    def in_call_order(self) -> tuple[tuple[Argument, ...], tuple[str, ...]]:
        """The arguments, those passed by keyword last, and the names of these."""
        keyword_only = {
            parameter.name
            for parameter in self.callee.parameters
            if self.callee.by_keyword or parameter.kind is parameter.KEYWORD_ONLY
        }
        positional = [argument for name, argument in self._arguments.items() if name not in keyword_only]
        named = {name: argument for name, argument in self._arguments.items() if name in keyword_only}
        return tuple(cast("list[Argument]", [*positional, *named.values()])), tuple(named)

    def _argument(self, slot: Slot) -> Argument | None:
        """Where the parameter's value comes from, by the first rule that fits; None for the body, planned last."""
        if slot.name == self.message:
            self._body_slots.append(slot)
            return None
        if slot.marker is not None:
            return self._marked(slot, slot.marker)
        if inject_marker(slot.declared) is not None:
            return self._injected(slot)
        by_type = self._object_by_type(slot)
        if by_type is not None:
            return "object", by_type
        in_path = next((name for name in (slot.name, stripped(slot.name)) if name in self.path_names), None)
        declared = self.declared.find(slot.name)
        if in_path is not None:
            return self._parameter(slot, "path", in_path)
        if declared is not None:
            return self._parameter(slot, declared.source, None, declared)
        if self.provided is not None and self.provided(slot.name, slot.declared):
            return self._injected(slot)
        if self._takes_body(slot):
            self._body_slots.append(slot)
            return None
        if slot.name in NAMED_OBJECTS:
            return ("plain" if slot.name in PLAIN_OBJECTS else "object"), slot.name
        try:
            return self._from_query(slot, "header" if slot.name in self.named_headers else "query")
        except RouteError:
            if not self.postponed:
                raise
            return self._injected(slot)

    def _injected(self, slot: Slot) -> Argument:
        default = INJECT_MISSING if slot.default is MISSING else slot.default
        return "inject", InjectedParameter(slot.name, slot.declared, default, slot.keyword_only)

    def _marked(self, slot: Slot, marker: Marker) -> Argument | None:
        if isinstance(marker, Body | Form | File):
            self._body_slots.append(slot)
            return None
        source = next((source for kind, source in PARAMETER_MARKERS.items() if isinstance(marker, kind)), None)
        if source is None:
            raise self._error(slot.name, f"the marker {marker!r} names no source", "use one of spikard.params")
        if source == "path":
            if slot.wire_name not in self.path_names:
                raise self._error(
                    slot.name,
                    f"it is marked Path, but the path {self.path!r} has no {{{slot.wire_name}}}",
                    f"add {{{slot.wire_name}}} to the path, or take the value from elsewhere",
                )
            return self._parameter(slot, "path", slot.wire_name)
        declared = self.declared.find(slot.name)
        if declared is not None and declared.source == source:
            return self._parameter(slot, source, None, declared)
        return self._from_query(slot, source)

    def _object_by_type(self, slot: Slot) -> str | None:
        core = slot.annotation.core
        if slot.annotation.is_any and slot.name in SOCKET_NAMES and self.method == WEBSOCKET:
            return "websocket"
        if not isinstance(core, type):
            return None
        return next((name for cls, name in OBJECTS.items() if issubclass(core, cls)), None)

    def _takes_body(self, slot: Slot) -> bool:
        if self.method == WEBSOCKET:
            return False
        if slot.name in BODY_NAMES or is_upload(slot):
            return True
        if self.demand.files and stripped(slot.name) in self.demand.files:
            return True
        asks_for_body = self.method in METHODS_WITH_BODY or self.demand.schema is not None
        if not asks_for_body:
            return False
        if slot.name in MAPPING_OBJECTS and slot.annotation.origin is dict:
            return False
        return is_structured(slot.annotation)

    def _from_query(self, slot: Slot, source: Source) -> Argument:
        if kind_of(slot.annotation.core) is None or (slot.marker is not None and slot.marker.alias):
            return self._parameter(slot, source, None)
        return self._model(slot, source)

    def _model(self, slot: Slot, source: Source) -> Argument:
        """A structured type outside the body: its fields are parameters of their own."""
        indices, names = [], []
        for name, field in model_slots(slot, self.described):
            index = len(self.parameters)
            wire_name = field.wire_name if source != "header" else field.wire_name.replace("_", "-").lower()
            self.parameters.append(plan_parameter(field.slot, source, self.described, wire_name=wire_name))
            indices.append(index)
            names.append(name)
        self.closed_query = self.closed_query or (source == "query" and forbids_extra(slot.annotation.core))
        return "model", (constructor_of(slot, source), tuple(indices), tuple(names))

    def _parameter(
        self, slot: Slot, source: Source, in_path: str | None, declared: DeclaredParameter | None = None
    ) -> Argument:
        if in_path is not None:
            declared = self.declared.find(slot.name) or self.declared.find(in_path)
            declared = declared if declared is not None and declared.source == "path" else None
        if declared is not None:
            self._used.add(declared.key)
        plan = plan_parameter(
            slot,
            source,
            self.described,
            wire_name=in_path,
            converter=self._converter(in_path, declared),
            declared=declared,
        )
        self.parameters.append(plan)
        return "parameter", len(self.parameters) - 1

    def _converter(self, in_path: str | None, declared: DeclaredParameter | None) -> str | None:
        name = in_path or (declared.wire_name if declared is not None and declared.source == "path" else None)
        return self.path_names.get(name) if name is not None else None

    def _close_body(self) -> None:
        planned = plan_body(self._body_slots, self.demand, self.described)
        self.body = planned.plan
        self._arguments |= planned.arguments

    def _add_declared(self) -> None:
        """Parameters of the explicit schema that the handler doesn't take are checked all the same."""
        for declared in self.declared.parameters:
            if declared.key not in self._used:
                slot = Slot(declared.name, Annotation(Any), Any)
                in_path = declared.wire_name if declared.source == "path" else None
                self._parameter(slot, declared.source, in_path, declared)

    def _close_path(self) -> None:
        """Every name in the path is checked against its converter, and somebody has to take it."""
        taken = {plan.wire_name for plan in self.parameters if plan.source == "path"}
        asked = {payload for kind, payload in filter(None, self._arguments.values()) if kind == "object"}
        for name in self.path_names:
            if name in taken:
                continue
            if not (self.var_keyword or {"request", "path_params"} & asked):
                raise self._error(
                    name,
                    f"the path {self.path!r} has {{{name}}}, but the handler does not take it",
                    f"add a parameter named {name!r}, a `request: Request`, or remove it from the path",
                )
            self._parameter(Slot(name, Annotation(Any), Any), "path", name)

    def _refuse_positional(self, parameter: inspect.Parameter) -> None:
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise self._error(
                parameter.name, "it is positional-only, and arguments are bound by name", "remove the `/` after it"
            )
        if parameter.kind is parameter.VAR_POSITIONAL:
            raise self._error(
                f"*{parameter.name}", "arguments are bound by name", "name the parameters, or take **kwargs"
            )

    def _error(self, parameter: str, reason: str, advice: str) -> RouteError:
        return RouteError(f"{self.described}: parameter {parameter!r}: {reason}; {advice}")


def is_structured(annotation: Annotation) -> bool:
    """Whether a body is the natural source: types with named fields, dicts, lists of either, unions of them."""
    core = annotation.core
    if kind_of(core) is not None or annotation.origin is dict:
        return True
    if is_union(core):
        return all(is_structured(peel(member)) for member in get_args(core))
    return annotation.origin is list and bool(annotation.arguments) and is_structured(peel(annotation.arguments[0]))


def _check_status(callee: Callee, status_code: int | None) -> None:
    if status_code is not None and not 100 <= status_code <= 599:
        raise RouteError(f"{callee.described}: status_code must be from 100 to 599, not {status_code!r}")


def _check_stream(callee: Callee, body: BodyPlan | None, config: RouteConfig | None) -> None:
    if config is None or not config.stream_body:
        return
    if body is not None:
        raise RouteError(
            f"{callee.described}: with stream_body the handler reads the body itself; take `request: Request` alone, "
            "or leave stream_body out"
        )
    if callee.mode not in ("task", "direct"):
        raise RouteError(f"{callee.described}: a body with stream_body can only be read by an `async def`")


def _check_references(callee: Callee, name: str, schema: Any, pointer: str = "") -> None:
    """Schemas are self-contained: nothing is fetched, at no time."""
    if isinstance(schema, Mapping):
        reference = schema.get("$ref")
        if isinstance(reference, str) and not reference.startswith("#"):
            raise RouteError(
                f"{callee.described}: {name}: the reference {reference!r} at {pointer or '/'} leaves the schema; "
                "put what it names under $defs and refer to #/$defs/…"
            )
        for keyword, value in schema.items():
            _check_references(callee, name, value, f"{pointer}/{keyword}")
    elif isinstance(schema, list | tuple):
        for index, value in enumerate(schema):
            _check_references(callee, name, value, f"{pointer}/{index}")


def _response_class(returns: Any) -> type | None:
    if returns is inspect.Parameter.empty:
        return None
    core = peel(content_type_of(returns)).core
    is_kind = isinstance(core, type) and issubclass(core, Response) and core is not Response
    return core if is_kind else None


def _response_schema(returns: Any, explicit: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if explicit is not None:
        return dict(explicit)
    return None if returns is inspect.Parameter.empty else schema_of_return(returns)


def _options(config: RouteConfig | None) -> dict[str, Any]:
    if config is None:
        return {}
    values = {field.name: (getattr(config, field.name), field.default) for field in fields(config)}
    return {name: value for name, (value, default) in values.items() if value is not UNSET and value is not default}


__all__ = ["BodyPlan", "HandlerPlan", "ParameterPlan", "compile_plan"]
