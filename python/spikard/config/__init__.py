"""Every setting, checked when it is made.

- `server`: `ServerConfig`; `route`: `RouteConfig`, what a route does differently, with `UNSET`
- `compression`, `rate_limit`, `jwt`, `api_key`, `cors`, `security_headers`, `static_files`, `openapi`, `background`,
  `tls`: its parts
- `settings`: what all of them can do; `bounds`: the checks; `environment`: the variables read
"""

from spikard.config.api_key import ApiKeyConfig
from spikard.config.background import BackgroundConfig
from spikard.config.compression import CompressionConfig
from spikard.config.cors import CorsConfig
from spikard.config.jwt import JwtConfig
from spikard.config.openapi import (
    AsyncApiConfig,
    ContactInfo,
    LicenseInfo,
    OpenApiConfig,
    SecuritySchemeInfo,
    ServerInfo,
)
from spikard.config.rate_limit import RateLimitConfig
from spikard.config.route import RouteConfig
from spikard.config.security_headers import SecurityHeadersConfig
from spikard.config.server import ServerConfig
from spikard.config.static_files import StaticFilesConfig
from spikard.config.tls import TlsConfig
from spikard.config.unset import UNSET

__all__ = [
    "UNSET",
    "ApiKeyConfig",
    "AsyncApiConfig",
    "BackgroundConfig",
    "CompressionConfig",
    "ContactInfo",
    "CorsConfig",
    "JwtConfig",
    "LicenseInfo",
    "OpenApiConfig",
    "RateLimitConfig",
    "RouteConfig",
    "SecurityHeadersConfig",
    "SecuritySchemeInfo",
    "ServerConfig",
    "ServerInfo",
    "StaticFilesConfig",
    "TlsConfig",
]
