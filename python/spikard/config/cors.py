"""Cross-origin requests."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from spikard.config import bounds
from spikard.config.settings import Settings


def _any() -> list[str]:
    return ["*"]


@dataclass(frozen=True, slots=True)
class CorsConfig(Settings):
    """Which origins may call, with which methods and headers.

    Origins compare byte for byte, `https://shop.example` with scheme and without a slash; a pattern has to match the
    whole origin. `null` has to be listed, also beside `"*"`.
    """

    allowed_origins: Sequence[str] = field(default_factory=_any)
    allowed_origin_regex: str | None = None
    allowed_methods: Sequence[str] = field(default_factory=_any)
    allowed_headers: Sequence[str] = field(default_factory=_any)
    expose_headers: Sequence[str] | None = None
    max_age: int = 600
    allow_credentials: bool = False
    allow_private_network: bool = False
    block_disallowed: bool = True

    def __post_init__(self) -> None:
        for name in ("allowed_origins", "allowed_methods", "allowed_headers"):
            bounds.strings(self, name)
        bounds.strings(self, "expose_headers", optional=True)
        self._store("allowed_methods", [method.upper() for method in self.allowed_methods])
        bounds.whole(self, "max_age", least=0)
        for flag in ("allow_credentials", "allow_private_network", "block_disallowed"):
            bounds.instance(self, flag, bool)
        if self.allowed_origin_regex is not None:
            try:
                re.compile(self.allowed_origin_regex)
            except (re.error, TypeError) as fault:
                raise bounds.refusal(
                    self, "allowed_origin_regex", f"a regular expression ({fault})", self.allowed_origin_regex
                ) from None
        if self.allow_credentials and "*" in self.allowed_origins:
            raise bounds.refusal(
                self, "allowed_origins", "a list without '*' when allow_credentials is on", self.allowed_origins
            )


__all__ = ["CorsConfig"]
