"""What one route, or one router, does differently."""

from dataclasses import dataclass

from spikard.config import bounds
from spikard.config.api_key import ApiKeyConfig
from spikard.config.compression import CompressionConfig
from spikard.config.cors import CorsConfig
from spikard.config.jwt import JwtConfig
from spikard.config.rate_limit import RateLimitConfig
from spikard.config.settings import Settings
from spikard.config.unset import UNSET, Unset

LIMITS = ("max_body_size", "max_json_depth", "max_file_size", "max_files")
VALIDATE_RESPONSE = (True, False, "always", "debug", "never")


@dataclass(frozen=True, slots=True)
class RouteConfig(Settings):
    """Options of a route; what is UNSET comes from the router, then the server. None switches off.

    `cache_control` is put on successful answers, and on 304, that have no `Cache-Control` of their own.
    """

    max_body_size: int | Unset | None = UNSET
    request_timeout: float | Unset | None = UNSET
    rate_limit: RateLimitConfig | Unset | None = UNSET
    compression: CompressionConfig | Unset | None = UNSET
    cors: CorsConfig | Unset | None = UNSET
    auth: JwtConfig | ApiKeyConfig | Unset | None = UNSET
    max_json_depth: int | Unset | None = UNSET
    max_file_size: int | Unset | None = UNSET
    max_files: int | Unset | None = UNSET
    validate_response: bool | str | Unset | None = UNSET
    cache_control: str | None = None
    stream_body: bool = False

    def __post_init__(self) -> None:
        for name in LIMITS:
            if getattr(self, name) is not UNSET:
                bounds.whole(self, name, least=0 if name == "max_body_size" else 1, optional=True)
        if self.request_timeout is not UNSET:
            bounds.number(self, "request_timeout", least=0.001, optional=True)
        kinds = {"rate_limit": RateLimitConfig, "compression": CompressionConfig, "cors": CorsConfig}
        for name, kind in kinds.items():
            if getattr(self, name) is not UNSET:
                bounds.instance(self, name, kind, optional=True)
        if self.auth is not UNSET and self.auth is not None and not isinstance(self.auth, JwtConfig | ApiKeyConfig):
            raise bounds.refusal(self, "auth", "a JwtConfig, an ApiKeyConfig or None", self.auth)
        if self.validate_response is not UNSET and self.validate_response is not None:
            bounds.choice(self, "validate_response", VALIDATE_RESPONSE)
        bounds.header_value(self, "cache_control", optional=True)
        bounds.instance(self, "stream_body", bool)


__all__ = ["RouteConfig"]
