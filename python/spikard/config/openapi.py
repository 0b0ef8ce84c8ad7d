"""The OpenAPI document and the pages that show it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from spikard.config import bounds
from spikard.config.api_key import ApiKeyConfig
from spikard.config.jwt import JwtConfig
from spikard.config.settings import Settings

LOCATIONS = ("header", "query", "cookie")
SCHEME_TYPES = ("http", "apiKey", "oauth2", "openIdConnect")


@dataclass(frozen=True, slots=True)
class ContactInfo(Settings):
    """Whom to ask about the API."""

    name: str | None = None
    email: str | None = None
    url: str | None = None

    def __post_init__(self) -> None:
        for name in ("name", "email", "url"):
            bounds.text(self, name, optional=True)


@dataclass(frozen=True, slots=True)
class LicenseInfo(Settings):
    """Under which terms the API is offered."""

    name: str
    url: str | None = None

    def __post_init__(self) -> None:
        bounds.text(self, "name")
        bounds.text(self, "url", optional=True)


@dataclass(frozen=True, slots=True)
class ServerInfo(Settings):
    """An address the API is reached at."""

    url: str
    description: str | None = None

    def __post_init__(self) -> None:
        bounds.text(self, "url")
        bounds.text(self, "description", optional=True)


@dataclass(frozen=True, slots=True)
class SecuritySchemeInfo(Settings):
    """A way to authenticate, as the document names it."""

    type: str
    scheme: str | None = None
    bearer_format: str | None = None
    location: str | None = None
    name: str | None = None
    flows: Mapping[str, Any] | None = None
    url: str | None = None
    description: str | None = None

    def __post_init__(self) -> None:
        bounds.choice(self, "type", SCHEME_TYPES)
        if self.type == "http" and not self.scheme:
            raise bounds.refusal(self, "scheme", "given when type is 'http'", self.scheme)
        if self.type == "apiKey":
            bounds.choice(self, "location", LOCATIONS)
            if not self.name:
                raise bounds.refusal(self, "name", "given when type is 'apiKey'", self.name)
        if self.type == "oauth2" and not self.flows:
            raise bounds.refusal(self, "flows", "given when type is 'oauth2'", self.flows)
        if self.type == "openIdConnect" and not self.url:
            raise bounds.refusal(self, "url", "given when type is 'openIdConnect'", self.url)


@dataclass(frozen=True, slots=True)
class OpenApiConfig(Settings):
    """What the document says of the API, and where it and its pages are; a path that is None is not served.

    `protect_docs` closes the document and the pages to all but those whom the `jwt_auth` and `api_key_auth` of the
    server let in, if it is True, or else a scheme of its own.
    """

    enabled: bool = False
    title: str = "API"
    version: str = "1.0.0"
    description: str | None = None
    swagger_ui_path: str | None = "/docs"
    redoc_path: str | None = "/redoc"
    openapi_json_path: str | None = "/openapi.json"
    contact: ContactInfo | None = None
    license: LicenseInfo | None = None
    servers: Sequence[ServerInfo] = field(default_factory=list)
    security_schemes: Mapping[str, SecuritySchemeInfo] = field(default_factory=dict)
    scalar_path: str | None = None
    protect_docs: bool | JwtConfig | ApiKeyConfig = False

    def __post_init__(self) -> None:
        bounds.instance(self, "enabled", bool)
        if self.enabled:
            bounds.text(self, "title")
            bounds.text(self, "version")
        for name in ("swagger_ui_path", "redoc_path", "scalar_path", "openapi_json_path"):
            bounds.route_path(self, name, optional=True)
        bounds.instance(self, "contact", ContactInfo, optional=True)
        bounds.instance(self, "license", LicenseInfo, optional=True)
        bounds.instances(self, "servers", ServerInfo)
        bounds.instance_values(self, "security_schemes", SecuritySchemeInfo)
        _check_protection(self)


@dataclass(frozen=True, slots=True)
class AsyncApiConfig(Settings):
    """What the document of WebSockets and event streams says of the application, and where it is.

    `protect_docs` is as in `OpenApiConfig`.
    """

    enabled: bool = False
    title: str = "API"
    version: str = "1.0.0"
    description: str | None = None
    asyncapi_json_path: str | None = "/asyncapi.json"
    contact: ContactInfo | None = None
    license: LicenseInfo | None = None
    protect_docs: bool | JwtConfig | ApiKeyConfig = False

    def __post_init__(self) -> None:
        bounds.instance(self, "enabled", bool)
        if self.enabled:
            bounds.text(self, "title")
            bounds.text(self, "version")
        bounds.route_path(self, "asyncapi_json_path", optional=True)
        bounds.instance(self, "contact", ContactInfo, optional=True)
        bounds.instance(self, "license", LicenseInfo, optional=True)
        _check_protection(self)


def _check_protection(described: OpenApiConfig | AsyncApiConfig) -> None:
    value = described.protect_docs
    if not isinstance(value, bool | JwtConfig | ApiKeyConfig):
        raise bounds.refusal(described, "protect_docs", "True, False, a JwtConfig or an ApiKeyConfig", value)


__all__ = ["AsyncApiConfig", "ContactInfo", "LicenseInfo", "OpenApiConfig", "SecuritySchemeInfo", "ServerInfo"]
