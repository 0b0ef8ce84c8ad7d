"""Work beside and after the answers."""

from dataclasses import dataclass

from spikard.config import bounds
from spikard.config.settings import Settings


@dataclass(frozen=True, slots=True)
class BackgroundConfig(Settings):
    """How much work may wait, how much runs at once, and how many seconds it gets at the end."""

    max_queue: int = 1024
    max_concurrent: int = 128
    drain_timeout: float = 30

    def __post_init__(self) -> None:
        bounds.whole(self, "max_queue", least=1)
        bounds.whole(self, "max_concurrent", least=1)
        bounds.number(self, "drain_timeout", least=0)


__all__ = ["BackgroundConfig"]
