"""Which credentials an operation asks for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spikard.config import UNSET, ApiKeyConfig, JwtConfig, OpenApiConfig, RouteConfig, SecuritySchemeInfo, ServerConfig
from spikard.openapi.exemption import is_exempt
from spikard.schema.build import Schema

BEARER = "bearerAuth"
API_KEY = "apiKeyAuth"

Requirement = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Guarded:
    """What of a route decides who may call it."""

    path: str
    security: Any
    config: RouteConfig | None = None

    @classmethod
    def of(cls, route: Any) -> "Guarded":
        """The same for routes and WebSockets."""
        return cls(route.path, route.security, getattr(route, "config", None))


class SecuritySchemes:
    """The schemes of the document: those the configuration names, and those that routes turn out to need."""

    def __init__(self, config: ServerConfig, described: OpenApiConfig) -> None:
        self._config = config
        self._schemes = {name: scheme_object(scheme) for name, scheme in described.security_schemes.items()}

    def objects(self) -> dict[str, Schema]:
        """The schemes by name."""
        return dict(self._schemes)

    def requirements(self, route: Guarded) -> list[Requirement]:
        """The alternatives an operation accepts; none when it is open."""
        explicit = self._explicit(route)
        if explicit is not None:
            return explicit
        found: list[Requirement] = []
        for auth in auth_of(route, self._config):
            name = self._bearer(auth) if isinstance(auth, JwtConfig) else self._api_key(auth)
            found.append({name: scopes_of(route)})
            if isinstance(auth, JwtConfig) and auth.optional:
                found.append({})
        return found

    def _explicit(self, route: Guarded) -> list[Requirement] | None:
        """Requirements that the route writes itself, in the words of the document."""
        security = route.security
        if isinstance(security, Mapping):
            security = [security]
        if isinstance(security, Sequence) and not isinstance(security, str):
            return [{str(name): list(scopes) for name, scopes in one.items()} for one in security]
        return None

    def _bearer(self, auth: JwtConfig) -> str:  # noqa: ARG002 - every algorithm looks alike here
        wanted = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
        for name, scheme in self._schemes.items():
            if scheme["type"] == "http" and str(scheme.get("scheme", "")).lower() == "bearer":
                return name
        return self._add(BEARER, wanted)

    def _api_key(self, auth: ApiKeyConfig) -> str:
        wanted = {"type": "apiKey", "in": "header", "name": auth.header_name}
        for name, scheme in self._schemes.items():
            if scheme["type"] == "apiKey" and _carries(scheme, auth):
                return name
        return self._add(API_KEY, wanted)

    def _add(self, name: str, scheme: Schema) -> str:
        free = name
        while self._schemes.get(free, scheme) != scheme:
            free += "_"
        self._schemes[free] = scheme
        return free


def auth_of(route: Guarded, config: ServerConfig) -> list[JwtConfig | ApiKeyConfig]:
    """What guards a route: its own setting, else that of the server."""
    if route.security is None:
        return []
    own = getattr(route.config, "auth", UNSET)
    candidates = (config.jwt_auth, config.api_key_auth) if own is UNSET else (own,)
    # What demands something of its own is never exempt.
    is_demanding = route.security is not UNSET
    return [
        guard for guard in candidates if guard is not None and (is_demanding or not is_exempt(route.path, guard.exempt))
    ]


def scopes_of(route: Guarded) -> list[str]:
    """The scopes a route demands."""
    return [str(scope) for scope in getattr(route.security, "scopes", None) or ()]


def scheme_object(scheme: SecuritySchemeInfo) -> Schema:
    """A configured scheme as the document has it."""
    members = {
        "type": scheme.type,
        "description": scheme.description,
        "scheme": scheme.scheme,
        "bearerFormat": scheme.bearer_format,
        "in": scheme.location,
        "name": scheme.name,
        "flows": dict(scheme.flows) if scheme.flows is not None else None,
        "openIdConnectUrl": scheme.url,
    }
    return {name: value for name, value in members.items() if value is not None}


def _carries(scheme: Mapping[str, Any], auth: ApiKeyConfig) -> bool:
    """Whether the key is where the scheme says."""
    places = {"header": auth.header_name, "query": auth.query_name, "cookie": auth.cookie_name}
    found = places.get(scheme.get("in", ""))
    name = str(scheme.get("name", ""))
    return found is not None and (found.lower() == name.lower() if scheme.get("in") == "header" else found == name)


__all__ = ["Guarded", "Requirement", "SecuritySchemes", "auth_of", "scheme_object", "scopes_of"]
