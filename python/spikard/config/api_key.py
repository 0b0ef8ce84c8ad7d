"""API keys."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from spikard.config import bounds
from spikard.config.settings import Settings


@dataclass(frozen=True, slots=True)
class ApiKeyConfig(Settings):
    """Which keys are let in and where a request carries them; `keys` may be a function, async or not."""

    keys: Sequence[str] | Callable[[str], Any]
    header_name: str = "X-API-Key"
    query_name: str | None = "api_key"
    cookie_name: str | None = None
    deprecated_keys: Sequence[str] = ()
    exempt: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not callable(self.keys):
            bounds.strings(self, "keys")
            if not self.keys or not all(self.keys):
                raise bounds.refusal(self, "keys", "a list of at least one key, none of them empty", self.keys)
        bounds.text(self, "header_name")
        bounds.text(self, "query_name", optional=True)
        bounds.text(self, "cookie_name", optional=True)
        bounds.strings(self, "deprecated_keys")
        bounds.strings(self, "exempt")


__all__ = ["ApiKeyConfig"]
