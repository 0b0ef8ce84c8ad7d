"""The server's settings."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from spikard.config import bounds
from spikard.config.api_key import ApiKeyConfig
from spikard.config.background import BackgroundConfig
from spikard.config.compression import CompressionConfig
from spikard.config.cors import CorsConfig
from spikard.config.environment import environment_text, environment_whole
from spikard.config.jwt import JwtConfig
from spikard.config.openapi import AsyncApiConfig, OpenApiConfig
from spikard.config.rate_limit import RateLimitConfig
from spikard.config.security_headers import SecurityHeadersConfig
from spikard.config.settings import Settings
from spikard.config.static_files import StaticFilesConfig
from spikard.config.tls import TlsConfig

LOG_LEVELS = ("critical", "error", "warning", "info", "debug")

# Field, least value; None allowed where the default may be None or None switches the limit off.
COUNTS = {
    "workers": 1,
    "backlog": 1,
    "max_header_size": 1,
    "max_headers": 1,
    "max_uri_length": 1,
    "max_json_depth": 1,
    "max_form_fields": 1,
    "max_files": 1,
    "max_part_header_size": 1,
    "spool_threshold": 0,
    "max_requests_jitter": 0,
}
OPTIONAL_COUNTS = {
    "max_body_size": 0,
    "max_file_size": 1,
    "max_connections": 1,
    "max_requests": 1,
    "worker_max_rss": 1,
    "sync_threads": 1,
}
OPTIONAL_SECONDS = {
    "request_timeout": 0.001,
    "header_read_timeout": 0.001,
    "body_read_timeout": 0.001,
    "keep_alive_timeout": 0.001,
    "worker_lifetime": 1,
}
FLAGS = (
    "enable_request_id",
    "strict_json",
    "graceful_shutdown",
    "http2",
    "proxy_protocol",
    "redirect_slashes",
    "date_header",
    "docs_in_production",
)
PARTS = {
    "compression": CompressionConfig,
    "cors": CorsConfig,
    "rate_limit": RateLimitConfig,
    "security_headers": SecurityHeadersConfig,
    "jwt_auth": JwtConfig,
    "api_key_auth": ApiKeyConfig,
    "openapi": OpenApiConfig,
    "asyncapi": AsyncApiConfig,
    "tls": TlsConfig,
}


@dataclass(frozen=True, slots=True)
class ServerConfig(Settings):
    """How the server listens, what it refuses, and how it ends. Sizes are bytes, times are seconds.

    Host, port, workers and log level come from SPIKARD_HOST, SPIKARD_PORT, SPIKARD_WORKERS and
    SPIKARD_LOG_LEVEL where the code gives none.
    """

    host: str = field(default_factory=partial(environment_text, "SPIKARD_HOST", "127.0.0.1"))
    port: int = field(default_factory=partial(environment_whole, "SPIKARD_PORT", 8000))
    uds: str | None = None
    workers: int = field(default_factory=partial(environment_whole, "SPIKARD_WORKERS", 1))
    backlog: int = 2048
    enable_request_id: bool = True
    request_id_header: str = "X-Request-ID"
    request_id_version: int = 4
    max_body_size: int | None = 10_485_760
    request_timeout: float | None = 30
    header_read_timeout: float | None = 10
    body_read_timeout: float | None = 30
    keep_alive_timeout: float | None = 75
    max_header_size: int = 65_536
    max_headers: int = 100
    max_uri_length: int = 8192
    max_json_depth: int = 64
    strict_json: bool = False
    max_form_fields: int = 1000
    max_files: int = 100
    max_file_size: int | None = None
    max_part_header_size: int = 8192
    spool_threshold: int = 1_048_576
    max_connections: int | None = None
    compression: CompressionConfig | None = field(default_factory=CompressionConfig)
    cors: CorsConfig | None = None
    security_headers: SecurityHeadersConfig | None = None
    rate_limit: RateLimitConfig | None = None
    jwt_auth: JwtConfig | None = None
    api_key_auth: ApiKeyConfig | None = None
    static_files: Sequence[StaticFilesConfig] = field(default_factory=list)
    trusted_proxies: Sequence[str] = field(default_factory=list)
    proxy_protocol: bool = False
    root_path: str = ""
    allowed_hosts: Sequence[str] = field(default_factory=list)
    graceful_shutdown: bool = True
    shutdown_timeout: float = 30
    max_requests: int | None = None
    max_requests_jitter: int = 0
    worker_max_rss: int | None = None
    worker_lifetime: float | None = None
    openapi: OpenApiConfig | None = None
    asyncapi: AsyncApiConfig | None = None
    background: BackgroundConfig = field(default_factory=BackgroundConfig)
    http2: bool = True
    tls: TlsConfig | None = None
    redirect_slashes: bool = False
    validate_responses: str = "debug"
    server_header: str | None = None
    date_header: bool = True
    access_log: bool | str = False
    metrics_path: str | None = None
    health_path: str | None = None
    docs_in_production: bool = True
    sync_threads: int | None = None
    problem_base_url: str = "https://spikard.dev/errors/"
    log_level: str = field(default_factory=partial(environment_text, "SPIKARD_LOG_LEVEL", "info"))

    def __post_init__(self) -> None:
        bounds.text(self, "host")
        bounds.whole(self, "port", least=0, most=65_535)
        for name, least in COUNTS.items():
            bounds.whole(self, name, least=least)
        for name, least in OPTIONAL_COUNTS.items():
            bounds.whole(self, name, least=least, optional=True)
        for name, shortest in OPTIONAL_SECONDS.items():
            bounds.number(self, name, least=shortest, optional=True)
        bounds.number(self, "shutdown_timeout", least=1)
        for name in FLAGS:
            bounds.instance(self, name, bool)
        for name, kind in PARTS.items():
            bounds.instance(self, name, kind, optional=True)
        bounds.instance(self, "background", BackgroundConfig)
        self._check_texts()
        self._check_lists()

    def _check_texts(self) -> None:
        for name in ("request_id_header", "problem_base_url"):
            bounds.text(self, name)
        for name in ("uds", "server_header"):
            bounds.text(self, name, optional=True)
        for name in ("metrics_path", "health_path"):
            bounds.route_path(self, name, optional=True)
        if self.root_path:
            bounds.route_path(self, "root_path")
            self._store("root_path", self.root_path.rstrip("/"))
        bounds.choice(self, "request_id_version", (4, 7))
        bounds.choice(self, "validate_responses", ("always", "debug", "never"))
        bounds.choice(self, "access_log", (True, False, "text", "json"))
        bounds.text(self, "log_level")
        self._store("log_level", self.log_level.lower())
        bounds.choice(self, "log_level", LOG_LEVELS)

    def _check_lists(self) -> None:
        bounds.instances(self, "static_files", StaticFilesConfig)
        bounds.strings(self, "allowed_hosts")
        bounds.strings(self, "trusted_proxies")
        for network in self.trusted_proxies:
            if network == "unix":
                continue
            try:
                ipaddress.ip_network(network, strict=False)
            except ValueError:
                raise bounds.refusal(
                    self, "trusted_proxies", "a list of addresses, CIDR networks or 'unix'", network
                ) from None


__all__ = ["ServerConfig"]
