"""Settings: defaults, bounds, the environment, copies."""

from dataclasses import FrozenInstanceError, fields
from pathlib import Path
from typing import Any

import pytest

from spikard import config
from spikard.config import (
    UNSET,
    ApiKeyConfig,
    BackgroundConfig,
    CompressionConfig,
    ContactInfo,
    CorsConfig,
    JwtConfig,
    LicenseInfo,
    OpenApiConfig,
    RateLimitConfig,
    RouteConfig,
    SecurityHeadersConfig,
    SecuritySchemeInfo,
    ServerConfig,
    ServerInfo,
    StaticFilesConfig,
    TlsConfig,
)

VARIABLES = ("SPIKARD_HOST", "SPIKARD_PORT", "SPIKARD_WORKERS", "SPIKARD_LOG_LEVEL")

DEFAULTS = {
    "host": "127.0.0.1",
    "port": 8000,
    "uds": None,
    "workers": 1,
    "backlog": 2048,
    "enable_request_id": True,
    "request_id_header": "X-Request-ID",
    "request_id_version": 4,
    "max_body_size": 10_485_760,
    "request_timeout": 30,
    "header_read_timeout": 10,
    "body_read_timeout": 30,
    "keep_alive_timeout": 75,
    "max_header_size": 65_536,
    "max_headers": 100,
    "max_uri_length": 8192,
    "max_json_depth": 64,
    "strict_json": False,
    "max_form_fields": 1000,
    "max_files": 100,
    "max_file_size": None,
    "max_part_header_size": 8192,
    "spool_threshold": 1_048_576,
    "max_connections": None,
    "compression": CompressionConfig(),
    "cors": None,
    "security_headers": None,
    "rate_limit": None,
    "jwt_auth": None,
    "api_key_auth": None,
    "static_files": [],
    "trusted_proxies": [],
    "proxy_protocol": False,
    "root_path": "",
    "allowed_hosts": [],
    "graceful_shutdown": True,
    "shutdown_timeout": 30,
    "max_requests": None,
    "max_requests_jitter": 0,
    "worker_max_rss": None,
    "worker_lifetime": None,
    "openapi": None,
    "asyncapi": None,
    "background": BackgroundConfig(),
    "http2": True,
    "tls": None,
    "redirect_slashes": False,
    "validate_responses": "debug",
    "server_header": None,
    "date_header": True,
    "access_log": False,
    "metrics_path": None,
    "health_path": None,
    "docs_in_production": True,
    "sync_threads": None,
    "problem_base_url": "https://spikard.dev/errors/",
    "log_level": "info",
}

GOOD: list[tuple[type, dict[str, Any]]] = [
    (ServerConfig, {"port": 0, "max_body_size": 0, "request_timeout": 0.001, "workers": 4}),
    (ServerConfig, {"port": 65_535, "max_body_size": None, "request_timeout": None, "keep_alive_timeout": None}),
    (ServerConfig, {"request_timeout": 1, "shutdown_timeout": 1, "access_log": "json", "log_level": "DEBUG"}),
    (ServerConfig, {"trusted_proxies": ["10.0.0.0/8", "::1", "192.168.1.7", "unix"], "allowed_hosts": ["*.x.org"]}),
    (ServerConfig, {"tls": TlsConfig("c.pem", Path("k.pem")), "static_files": [StaticFilesConfig("static", "/s")]}),
    (ServerConfig, {"compression": None, "cors": CorsConfig(), "rate_limit": RateLimitConfig(0.5, 1)}),
    (ServerConfig, {"security_headers": SecurityHeadersConfig(frame_options="SAMEORIGIN"), "root_path": "/api"}),
    (CompressionConfig, {"quality": 0, "min_size": 0, "exclude_types": ["image/*"]}),
    (RateLimitConfig, {"per_second": 0.1, "burst": 1, "store": "redis://localhost/0", "key": str}),
    (JwtConfig, {"secret": "s", "algorithm": "HS512", "audience": ["a"], "leeway": 0.5}),
    (JwtConfig, {"public_key": "---", "algorithm": "EdDSA"}),
    (JwtConfig, {"jwks_url": "https://x/jwks", "algorithm": "PS384"}),
    (ApiKeyConfig, {"keys": ["a"], "query_name": None, "cookie_name": "k"}),
    (ApiKeyConfig, {"keys": lambda key: None}),
    (CorsConfig, {"allowed_origins": ["https://a"], "allow_credentials": True, "allowed_origin_regex": "a.*"}),
    (StaticFilesConfig, {"directory": "d", "route_prefix": "/", "max_age": 0, "html": True}),
    (OpenApiConfig, {"enabled": True, "redoc_path": None, "servers": [ServerInfo("https://x")]}),
    (OpenApiConfig, {"enabled": False, "title": "", "protect_docs": ApiKeyConfig(["k"])}),
    (SecuritySchemeInfo, {"type": "http", "scheme": "bearer"}),
    (SecuritySchemeInfo, {"type": "apiKey", "location": "header", "name": "X-Key"}),
    (SecuritySchemeInfo, {"type": "oauth2", "flows": {"password": {}}}),
    (SecuritySchemeInfo, {"type": "openIdConnect", "url": "https://x"}),
    (ContactInfo, {}),
    (LicenseInfo, {"name": "MIT"}),
    (BackgroundConfig, {"max_queue": 1, "max_concurrent": 1, "drain_timeout": 0}),
    (RouteConfig, {"max_body_size": None, "request_timeout": None, "validate_response": True, "cache_control": "no"}),
    (RouteConfig, {"auth": ApiKeyConfig(["k"]), "cors": None, "compression": CompressionConfig(gzip=False)}),
]

# Class, arguments, the field to be named, a part of the bound.
BAD: list[tuple[type, dict[str, Any], str, str]] = [
    (ServerConfig, {"host": ""}, "host", "not empty"),
    (OpenApiConfig, {"protect_docs": "yes"}, "protect_docs", "True, False"),
    (RouteConfig, {"cache_control": ""}, "cache_control", "not empty"),
    (RouteConfig, {"cache_control": "private\r\nx: y"}, "cache_control", "printable ASCII"),
    (ServerConfig, {"root_path": "api"}, "root_path", "starting with '/'"),
    (ServerConfig, {"proxy_protocol": 1}, "proxy_protocol", "a bool"),
    (SecurityHeadersConfig, {"frame_options": "ALLOW"}, "frame_options", "one of"),
    (SecurityHeadersConfig, {"hsts_max_age": -1}, "hsts_max_age", "at least 0"),
    (SecurityHeadersConfig, {"referrer_policy": ""}, "referrer_policy", "not empty"),
    (ServerConfig, {"port": -1}, "port", "from 0 to 65535"),
    (ServerConfig, {"port": 65_536}, "port", "from 0 to 65535"),
    (ServerConfig, {"port": "80"}, "port", "an integer"),
    (ServerConfig, {"port": True}, "port", "an integer"),
    (ServerConfig, {"workers": 0}, "workers", "at least 1"),
    (ServerConfig, {"max_body_size": -1}, "max_body_size", "at least 0"),
    (ServerConfig, {"request_timeout": 0}, "request_timeout", "at least 0.001"),
    (ServerConfig, {"request_timeout": float("nan")}, "request_timeout", "a number"),
    (ServerConfig, {"request_timeout": float("inf")}, "request_timeout", "a number"),
    (ServerConfig, {"shutdown_timeout": 0.5}, "shutdown_timeout", "at least 1"),
    (ServerConfig, {"max_headers": 0}, "max_headers", "at least 1"),
    (ServerConfig, {"max_json_depth": None}, "max_json_depth", "an integer"),
    (ServerConfig, {"http2": 1}, "http2", "a bool"),
    (ServerConfig, {"compression": "gzip"}, "compression", "CompressionConfig"),
    (ServerConfig, {"background": None}, "background", "BackgroundConfig"),
    (ServerConfig, {"static_files": ["static"]}, "static_files", "a list of StaticFilesConfig"),
    (ServerConfig, {"allowed_hosts": "x.org"}, "allowed_hosts", "a list of strings"),
    (ServerConfig, {"trusted_proxies": ["10.0.0.0/33"]}, "trusted_proxies", "CIDR"),
    (ServerConfig, {"health_path": "health"}, "health_path", "starting with '/'"),
    (ServerConfig, {"access_log": 1}, "access_log", "one of"),
    (ServerConfig, {"access_log": "xml"}, "access_log", "one of"),
    (ServerConfig, {"log_level": "loud"}, "log_level", "one of"),
    (ServerConfig, {"validate_responses": True}, "validate_responses", "one of"),
    (CompressionConfig, {"quality": 12}, "quality", "from 0 to 11"),
    (CompressionConfig, {"quality": -1}, "quality", "from 0 to 11"),
    (CompressionConfig, {"min_size": -1}, "min_size", "at least 0"),
    (RateLimitConfig, {"per_second": 0, "burst": 1}, "per_second", "above 0"),
    (RateLimitConfig, {"per_second": 1, "burst": 0}, "burst", "at least 1"),
    (RateLimitConfig, {"per_second": 1, "burst": 1, "store": "disk"}, "store", "Redis"),
    (RateLimitConfig, {"per_second": 1, "burst": 1, "key": "ip"}, "key", "a function"),
    (JwtConfig, {}, "secret", "given"),
    (JwtConfig, {"public_key": "k"}, "secret", "HS256"),
    (JwtConfig, {"secret": "s", "algorithm": "none"}, "algorithm", "one of"),
    (JwtConfig, {"secret": "s", "leeway": -1}, "leeway", "at least 0"),
    (ApiKeyConfig, {"keys": []}, "keys", "at least one"),
    (ApiKeyConfig, {"keys": [""]}, "keys", "at least one"),
    (ApiKeyConfig, {"keys": "abc"}, "keys", "a list of strings"),
    (ApiKeyConfig, {"keys": ["a"], "header_name": ""}, "header_name", "not empty"),
    (CorsConfig, {"allow_credentials": True}, "allowed_origins", "without '*'"),
    (CorsConfig, {"max_age": -1}, "max_age", "at least 0"),
    (CorsConfig, {"allowed_origin_regex": "("}, "allowed_origin_regex", "regular expression"),
    (StaticFilesConfig, {"directory": "", "route_prefix": "/"}, "directory", "not empty"),
    (StaticFilesConfig, {"directory": "d", "route_prefix": "s"}, "route_prefix", "starting with '/'"),
    (OpenApiConfig, {"enabled": True, "title": ""}, "title", "not empty"),
    (OpenApiConfig, {"enabled": True, "version": ""}, "version", "not empty"),
    (OpenApiConfig, {"swagger_ui_path": "docs"}, "swagger_ui_path", "starting with '/'"),
    (OpenApiConfig, {"servers": ["https://x"]}, "servers", "ServerInfo"),
    (OpenApiConfig, {"security_schemes": {"a": "b"}}, "security_schemes", "SecuritySchemeInfo"),
    (SecuritySchemeInfo, {"type": "basic"}, "type", "one of"),
    (SecuritySchemeInfo, {"type": "http"}, "scheme", "'http'"),
    (SecuritySchemeInfo, {"type": "apiKey", "location": "body", "name": "k"}, "location", "one of"),
    (SecuritySchemeInfo, {"type": "apiKey", "location": "query"}, "name", "'apiKey'"),
    (SecuritySchemeInfo, {"type": "oauth2"}, "flows", "'oauth2'"),
    (SecuritySchemeInfo, {"type": "openIdConnect"}, "url", "'openIdConnect'"),
    (LicenseInfo, {"name": ""}, "name", "not empty"),
    (ServerInfo, {"url": ""}, "url", "not empty"),
    (BackgroundConfig, {"max_queue": 0}, "max_queue", "at least 1"),
    (BackgroundConfig, {"drain_timeout": -1}, "drain_timeout", "at least 0"),
    (TlsConfig, {"cert": "", "key": "k"}, "cert", "not empty"),
    (TlsConfig, {"cert": "c", "key": "k", "min_version": "1.1"}, "min_version", "one of"),
    (RouteConfig, {"max_body_size": -1}, "max_body_size", "at least 0"),
    (RouteConfig, {"max_json_depth": 0}, "max_json_depth", "at least 1"),
    (RouteConfig, {"request_timeout": 0}, "request_timeout", "at least 0.001"),
    (RouteConfig, {"cors": True}, "cors", "CorsConfig"),
    (RouteConfig, {"auth": "jwt"}, "auth", "JwtConfig"),
    (RouteConfig, {"validate_response": 1}, "validate_response", "one of"),
]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)


def test_server_defaults() -> None:
    server = ServerConfig()
    assert {field.name: getattr(server, field.name) for field in fields(server)} == DEFAULTS


@pytest.mark.parametrize(("cls", "arguments"), GOOD)
def test_accepts(cls: type, arguments: dict[str, Any]) -> None:
    made = cls(**arguments)
    for name, value in arguments.items():
        stored = getattr(made, name)
        assert stored == (value.lower() if name == "log_level" else value)


@pytest.mark.parametrize(("cls", "arguments", "field", "bound"), BAD)
def test_refuses_naming_field_and_bound(cls: type, arguments: dict[str, Any], field: str, bound: str) -> None:
    with pytest.raises(ValueError, match=rf"^{cls.__name__}\.{field} must be ") as caught:
        cls(**arguments)
    assert bound in str(caught.value)


@pytest.mark.parametrize("name", [name for name in config.__all__ if name != "UNSET"])
def test_misspelled_fields_are_type_errors(name: str) -> None:
    with pytest.raises(TypeError, match="max_bodysize"):
        getattr(config, name)(max_bodysize=1)


def test_copy_changes_and_checks() -> None:
    server = ServerConfig(host="0.0.0.0", port=1)
    changed = server.copy(port=2)
    assert (changed.host, changed.port, server.port) == ("0.0.0.0", 2, 1)
    with pytest.raises(ValueError, match="port"):
        server.copy(port=-2)
    with pytest.raises(TypeError):
        server.copy(prot=1)


def test_settings_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        ServerConfig().port = 1  # type: ignore[misc]


def test_lists_are_not_shared() -> None:
    assert ServerConfig().static_files is not ServerConfig().static_files


def test_to_dict_is_plain_all_the_way() -> None:
    server = ServerConfig(
        static_files=[StaticFilesConfig(Path("files"), "/f")], openapi=OpenApiConfig(servers=[ServerInfo("https://x")])
    )
    plain = server.to_dict()
    assert plain["static_files"][0]["directory"] == "files"
    assert plain["openapi"]["servers"] == [{"url": "https://x", "description": None}]
    assert plain["compression"] == {
        "gzip": True,
        "brotli": True,
        "zstd": True,
        "min_size": 1024,
        "quality": 6,
        "exclude_types": [],
        "decode_requests": False,
    }
    assert set(plain) == set(DEFAULTS)


def test_unset_options_are_left_out() -> None:
    assert RouteConfig(max_body_size=None).to_dict() == {
        "max_body_size": None,
        "cache_control": None,
        "stream_body": False,
    }
    assert RouteConfig().max_body_size is UNSET
    assert not UNSET
    assert repr(UNSET) == "UNSET"


def test_environment_fills_what_code_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in zip(VARIABLES, ("::1", "9000", "3", "WARNING"), strict=True):
        monkeypatch.setenv(variable, value)
    server = ServerConfig()
    assert (server.host, server.port, server.workers, server.log_level) == ("::1", 9000, 3, "warning")
    # What the code says wins, also where it says the default.
    explicit = ServerConfig(host="127.0.0.1", port=8000, workers=1, log_level="info")
    assert (explicit.host, explicit.port, explicit.workers, explicit.log_level) == ("127.0.0.1", 8000, 1, "info")
    assert explicit.copy(backlog=1).port == 8000


def test_empty_variables_count_as_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKARD_PORT", "")
    assert ServerConfig().port == 8000


@pytest.mark.parametrize(
    ("variable", "value", "complaint"),
    [
        ("SPIKARD_PORT", "http", "SPIKARD_PORT must be an integer"),
        ("SPIKARD_PORT", "70000", r"ServerConfig\.port must be"),
        ("SPIKARD_WORKERS", "0", r"ServerConfig\.workers must be"),
        ("SPIKARD_LOG_LEVEL", "loud", r"ServerConfig\.log_level must be"),
    ],
)
def test_environment_is_checked(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, complaint: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValueError, match=complaint):
        ServerConfig()


def test_one_audience_becomes_a_list() -> None:
    assert JwtConfig("s", audience="me").audience == ["me"]
