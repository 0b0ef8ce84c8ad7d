"""The whole OpenAPI document."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from spikard.config import AsyncApiConfig, OpenApiConfig, ServerConfig
from spikard.errors import ProblemDetails
from spikard.openapi.components import Components
from spikard.openapi.operation import default_identifier, operation_of
from spikard.openapi.problems import PROBLEM, SCHEMAS
from spikard.openapi.security import SecuritySchemes
from spikard.routing.route import Route
from spikard.routing.url import PLACEHOLDER
from spikard.schema.build import Schema

VERSION = "3.1.0"


def build_openapi(routes: Iterable[Route], config: ServerConfig) -> dict[str, Any]:
    """The document for these routes: the same routes give the same document, down to the order."""
    described = config.openapi or OpenApiConfig()
    components = Components(SCHEMAS, {ProblemDetails: PROBLEM})
    schemes = SecuritySchemes(config, described)
    shown = [route for route in routes if route.include_in_schema and route.plan is not None]
    paths = _paths(shown, config, components, schemes)
    document: dict[str, Any] = {"openapi": VERSION, "info": info_of(described)}
    if described.servers:
        document["servers"] = [_given(server.to_dict()) for server in described.servers]
    elif config.root_path:
        document["servers"] = [{"url": config.root_path}]
    document["paths"] = paths
    parts = {"schemas": components.schemas(), "securitySchemes": schemes.objects()}
    if any(parts.values()):
        document["components"] = {name: part for name, part in parts.items() if part}
    tags = dict.fromkeys(tag for route in shown for tag in route.tags)
    if tags:
        document["tags"] = [{"name": str(tag)} for tag in tags]
    plain: dict[str, Any] = msgspec.to_builtins(document, str_keys=True, enc_hook=str)
    return plain


def _paths(
    routes: list[Route], config: ServerConfig, components: Components, schemes: SecuritySchemes
) -> dict[str, Schema]:
    paths: dict[str, Schema] = {}
    # Patterns that differ only in the names of their parameters are one path, named as the first of them.
    first: dict[str, str] = {}
    taken: set[str] = set()
    for route in routes:
        if route.plan is None:
            continue
        path = template(route.path)
        shape = re.sub(r"\{[^}]*\}", "{}", path)
        identifier = free_name(default_identifier(route), route.method.lower(), taken)
        operation = operation_of(route, route.plan, config, components, schemes, identifier)
        shown = first.setdefault(shape, path)
        if shown != path:
            operation = _renamed(operation, path, shown)
        paths.setdefault(shown, {}).setdefault(route.method.lower(), operation)
    return paths


def template(pattern: str) -> str:
    """A path pattern as the document writes it: without converters."""
    return PLACEHOLDER.sub(r"{\1}", pattern)


def _renamed(operation: Schema, path: str, shown: str) -> Schema:
    names = dict(zip(re.findall(r"\{([^}]*)\}", path), re.findall(r"\{([^}]*)\}", shown), strict=True))
    parameters = [
        {**one, "name": names.get(one["name"], one["name"])} if one["in"] == "path" else one
        for one in operation.get("parameters", ())
    ]
    return {**operation, "parameters": parameters}


def free_name(identifier: str, method: str, taken: set[str]) -> str:
    """The identifier, changed where another operation has it."""
    candidates = [identifier, f"{identifier}_{method}"]
    candidates += [f"{identifier}_{method}_{number}" for number in range(2, len(taken) + 3)]
    free = next(candidate for candidate in candidates if candidate not in taken)
    taken.add(free)
    return free


def info_of(described: OpenApiConfig | AsyncApiConfig) -> Schema:
    """What the document says of the application as a whole."""
    info: Schema = {"title": described.title, "version": described.version}
    if described.description is not None:
        info["description"] = described.description
    if described.contact is not None and (contact := _given(described.contact.to_dict())):
        info["contact"] = contact
    if described.license is not None:
        info["license"] = _given(described.license.to_dict())
    return info


def _given(members: Mapping[str, Any]) -> Schema:
    return {name: value for name, value in members.items() if value is not None}


__all__ = ["build_openapi", "free_name", "info_of", "template"]
