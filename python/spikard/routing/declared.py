"""A `parameter_schema`: what generated code says about parameters."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from spikard.errors import RouteError
from spikard.routing.handler_plan import Source
from spikard.routing.slot import stripped

SOURCES: Mapping[str, Source] = {
    "path": "path",
    "query": "query",
    "header": "header",
    "headers": "header",
    "cookie": "cookie",
    "cookies": "cookie",
}
# Members of a property that are no part of its JSON Schema.
OWN = frozenset({"source", "alias", "separator", "annotation", "optional"})


@dataclass(frozen=True, slots=True)
class DeclaredParameter:
    """One property of a parameter schema."""

    key: str
    source: Source
    wire_name: str
    schema: dict[str, Any]
    required: bool
    separator: str | None

    @property
    def name(self) -> str:
        """The key as a Python identifier."""
        return identifier(self.key)


@dataclass(frozen=True, slots=True)
class DeclaredParameters:
    """All of them, found by the name of the handler's parameter."""

    parameters: tuple[DeclaredParameter, ...] = ()
    _by_name: Mapping[str, DeclaredParameter] = field(default_factory=dict)

    def find(self, name: str) -> DeclaredParameter | None:
        """The declaration for a parameter name, outer underscores ignored where the exact name is unknown."""
        return self._by_name.get(name) or self._by_name.get(stripped(name))


def identifier(key: str) -> str:
    """A name as Python would have it: `X-Token` is `x_token`."""
    return key if key.isidentifier() else re.sub(r"\W+", "_", key).strip("_").lower()


def read_parameter_schema(
    schema: Mapping[str, Any] | None, names_in_path: Mapping[str, str], described: str
) -> DeclaredParameters:
    """Read a parameter schema; RouteError for one that cannot be meant."""
    if schema is None:
        return DeclaredParameters()
    properties: Any = schema.get("properties", {})
    if not isinstance(properties, Mapping):
        raise RouteError(f"{described}: parameter_schema must be an object schema with `properties`, not {schema!r}")
    required = schema.get("required", ())
    parameters = tuple(
        _read(key, entry, key in required, names_in_path, described) for key, entry in properties.items()
    )
    by_name: dict[str, DeclaredParameter] = {}
    for parameter in parameters:
        by_name.setdefault(parameter.name, parameter)
        by_name.setdefault(stripped(parameter.name), parameter)
    by_name.update({parameter.key: parameter for parameter in parameters})
    return DeclaredParameters(parameters, by_name)


def _read(key: str, entry: Any, listed: bool, names_in_path: Mapping[str, str], described: str) -> DeclaredParameter:
    if not isinstance(entry, Mapping):
        raise RouteError(f"{described}: parameter_schema: the property {key!r} must be a schema, not {entry!r}")
    alias = entry.get("alias")
    in_path = next((name for name in (alias, key, stripped(key)) if name in names_in_path), None)
    named = entry.get("source", "path" if in_path is not None else "query")
    if named not in SOURCES:
        raise RouteError(
            f"{described}: parameter_schema: the property {key!r} has the unknown source {named!r}; "
            "use path, query, header or cookie"
        )
    source = SOURCES[named]
    if source == "path" and in_path is None:
        raise RouteError(
            f"{described}: parameter_schema: the property {key!r} has the source 'path', but the path has no "
            f"{{{alias or stripped(key)}}}; add it to the path, or correct the source"
        )
    flag, optional = entry.get("required"), entry.get("optional")
    demanded = flag if isinstance(flag, bool) else listed
    own = OWN | {"required"} if isinstance(flag, bool) else OWN
    return DeclaredParameter(
        key,
        source,
        wire_name_of(source, alias or in_path if source == "path" else alias, key),
        {keyword: value for keyword, value in entry.items() if keyword not in own},
        source == "path" or (demanded and optional is not True),
        entry.get("separator"),
    )


def wire_name_of(source: Source, alias: str | None, name: str, *, convert_underscores: bool = True) -> str:
    """The name on the wire of a parameter without one of its own."""
    if source == "header":
        plain = alias or stripped(name)
        return (plain.replace("_", "-") if convert_underscores and not alias else plain).lower()
    return alias or (stripped(name) if name.isidentifier() else name)


__all__ = ["DeclaredParameter", "DeclaredParameters", "identifier", "read_parameter_schema", "wire_name_of"]
