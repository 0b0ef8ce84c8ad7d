"""Bearer tokens."""

from collections.abc import Sequence
from dataclasses import dataclass

from spikard.config import bounds
from spikard.config.settings import Settings

ALGORITHMS = (*(f"{family}{size}" for family in ("HS", "RS", "ES", "PS") for size in (256, 384, 512)), "EdDSA")


@dataclass(frozen=True, slots=True)
class JwtConfig(Settings):
    """How bearer tokens are verified; the key is the secret, a public key, or a key set behind a URL."""

    secret: str | None = None
    algorithm: str = "HS256"
    audience: Sequence[str] | None = None
    issuer: str | None = None
    leeway: float = 0
    public_key: str | None = None
    jwks_url: str | None = None
    required_claims: Sequence[str] = ()
    exempt: Sequence[str] = ()
    optional: bool = False

    def __post_init__(self) -> None:
        bounds.choice(self, "algorithm", ALGORITHMS)
        for key in ("secret", "public_key", "jwks_url", "issuer"):
            bounds.text(self, key, optional=True)
        if not (self.secret or self.public_key or self.jwks_url):
            raise ValueError("JwtConfig.secret must be given, or else public_key or jwks_url")
        if self.algorithm.startswith("HS") and not self.secret:
            raise bounds.refusal(self, "secret", f"given for {self.algorithm}", self.secret)
        if isinstance(self.audience, str):
            self._store("audience", [self.audience])
        bounds.strings(self, "audience", optional=True)
        bounds.number(self, "leeway", least=0)
        bounds.strings(self, "required_claims")
        bounds.strings(self, "exempt")
        bounds.instance(self, "optional", bool)


__all__ = ["JwtConfig"]
