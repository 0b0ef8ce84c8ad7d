"""Headers that tell browsers to be careful with answers."""

from dataclasses import dataclass

from spikard.config import bounds
from spikard.config.settings import Settings

FRAME_OPTIONS = ("DENY", "SAMEORIGIN", None)


@dataclass(frozen=True, slots=True)
class SecurityHeadersConfig(Settings):
    """Headers added to every answer that does not have them; None leaves one out.

    `hsts_max_age` seconds a browser is to come back by HTTPS only; sent on encrypted connections alone.
    """

    content_type_options: bool = True
    frame_options: str | None = "DENY"
    referrer_policy: str | None = "strict-origin-when-cross-origin"
    content_security_policy: str | None = None
    permissions_policy: str | None = None
    cross_origin_opener_policy: str | None = None
    cross_origin_resource_policy: str | None = None
    hsts_max_age: int | None = 31_536_000
    hsts_include_subdomains: bool = False
    hsts_preload: bool = False

    def __post_init__(self) -> None:
        for name in (
            "referrer_policy",
            "content_security_policy",
            "permissions_policy",
            "cross_origin_opener_policy",
            "cross_origin_resource_policy",
        ):
            bounds.text(self, name, optional=True)
        for name in ("content_type_options", "hsts_include_subdomains", "hsts_preload"):
            bounds.instance(self, name, bool)
        bounds.choice(self, "frame_options", FRAME_OPTIONS)
        bounds.whole(self, "hsts_max_age", least=0, optional=True)

    def headers(self) -> list[tuple[str, str]]:
        """The headers of every answer."""
        named = {
            "x-content-type-options": "nosniff" if self.content_type_options else None,
            "x-frame-options": self.frame_options,
            "referrer-policy": self.referrer_policy,
            "content-security-policy": self.content_security_policy,
            "permissions-policy": self.permissions_policy,
            "cross-origin-opener-policy": self.cross_origin_opener_policy,
            "cross-origin-resource-policy": self.cross_origin_resource_policy,
        }
        return [(name, value) for name, value in named.items() if value is not None]

    def secure_headers(self) -> list[tuple[str, str]]:
        """The headers of answers on encrypted connections."""
        if self.hsts_max_age is None:
            return []
        parts = [f"max-age={self.hsts_max_age}"]
        parts += ["includeSubDomains"] if self.hsts_include_subdomains else []
        parts += ["preload"] if self.hsts_preload else []
        return [("strict-transport-security", "; ".join(parts))]


__all__ = ["SecurityHeadersConfig"]
