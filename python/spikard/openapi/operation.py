"""One route as an operation of the document."""

import functools
import inspect
import re
from collections.abc import Mapping
from typing import Any

from spikard.config import UNSET, ServerConfig
from spikard.openapi.answers import declared_of, successes_of
from spikard.openapi.components import Components
from spikard.openapi.parameters import parameters_of
from spikard.openapi.problems import problem_answer
from spikard.openapi.request_body import request_body_of
from spikard.openapi.security import Guarded, SecuritySchemes
from spikard.openapi.signature import Signature
from spikard.routing.handler_plan import HandlerPlan
from spikard.routing.route import Route
from spikard.schema.build import Schema

NOT_IN_IDS = re.compile(r"\W+", re.ASCII)
# Parameters whose text has to be decoded, which can fail before anything is validated.
DECODED = frozenset({"path", "query"})


def operation_of(
    route: Route,
    plan: HandlerPlan,
    config: ServerConfig,
    components: Components,
    schemes: SecuritySchemes,
    identifier: str,
) -> Schema:
    """The operation object of a route."""
    signature = Signature.read(plan)
    operation: Schema = {**_texts(route), "operationId": identifier}
    if route.tags:
        operation["tags"] = list(route.tags)
    parameters = parameters_of(plan, signature, components, identifier)
    if parameters:
        operation["parameters"] = parameters
    if plan.body is not None:
        operation["requestBody"] = request_body_of(route, plan.body, signature, components, identifier)
    requirements = schemes.requirements(Guarded.of(route))
    refusals = refusals_of(route, plan, config, is_guarded=bool(requirements))
    refused = {str(status): problem_answer(status, components) for status in refusals}
    declared = declared_of(route, components, identifier)
    responses = {
        **refused,
        **successes_of(route, signature, components, identifier),
        # A refusal that is described in other words is still the problem it was.
        **{status: {**refused.get(status, {}), **response} for status, response in declared.items()},
    }
    operation["responses"] = dict(sorted(responses.items()))
    if route.deprecated:
        operation["deprecated"] = True
    if requirements:
        operation["security"] = requirements
    return operation


def refusals_of(route: Route, plan: HandlerPlan, config: ServerConfig, *, is_guarded: bool) -> list[int]:
    """The statuses that the framework itself may answer on this route."""
    body = plan.body
    sources = {parameter.source for parameter in plan.parameters}
    is_parsed = body is not None and body.kind != "bytes"
    reasons = {
        400: is_parsed or bool(sources & DECODED) or bool(config.allowed_hosts),
        401: is_guarded,
        403: _can_forbid(route, config, is_guarded=is_guarded),
        404: "path" in sources,
        406: bool(plan.produces),
        413: body is not None and bool(_setting(route, config, "max_body_size")),
        415: is_parsed or (body is not None and bool(body.media_types)),
        422: bool(plan.parameters) or is_parsed,
        429: _setting(route, config, "rate_limit") is not None,
        500: True,
    }
    return [status for status, can_happen in reasons.items() if can_happen]


def default_identifier(route: Route) -> str:
    """The name of the operation: the route's, else made of its method and path."""
    name = route.name or f"{route.method.lower()}_{route.path.strip('/{')}"
    return NOT_IN_IDS.sub("_", name).strip("_") or "operation"


def documentation(handler: Any) -> tuple[str | None, str | None]:
    """The first line of the docstring, and the rest of it."""
    while isinstance(handler, functools.partial):
        handler = handler.func
    if not inspect.isroutine(handler):
        handler = type(handler).__call__
    text = inspect.getdoc(inspect.unwrap(handler)) if inspect.isfunction(handler) or inspect.ismethod(handler) else None
    if not text:
        return None, None
    summary, _, rest = text.strip().partition("\n")
    return summary.strip() or None, rest.strip() or None


def _texts(route: Route) -> Schema:
    summary, description = documentation(route.handler)
    texts = {"summary": route.summary or summary, "description": route.description or description}
    return {name: text for name, text in texts.items() if text}


def _can_forbid(route: Route, config: ServerConfig, *, is_guarded: bool) -> bool:
    cors = _setting(route, config, "cors")
    if cors is not None and cors.block_disallowed and "*" not in cors.allowed_origins:
        return True
    if not is_guarded:
        return False
    own = getattr(route.config, "auth", UNSET)
    jwt = own if own is not UNSET else config.jwt_auth
    asks_more = bool(route.security) and not isinstance(route.security, Mapping | list | tuple)
    return asks_more or bool(getattr(jwt, "required_claims", ()))


def _setting(route: Route, config: ServerConfig, name: str) -> Any:
    """A setting of the route, else of the server."""
    own = getattr(route.config, name, UNSET)
    return getattr(config, name) if own is UNSET else own


__all__ = ["default_identifier", "documentation", "operation_of", "refusals_of"]
