"""Compression of answers."""

from collections.abc import Sequence
from dataclasses import dataclass

from spikard.config import bounds
from spikard.config.settings import Settings


@dataclass(frozen=True, slots=True)
class CompressionConfig(Settings):
    """Which encodings are offered, from which size on, and how hard they work (gzip goes up to 9).

    With `decode_requests`, compressed request bodies are taken, too.
    """

    gzip: bool = True
    brotli: bool = True
    zstd: bool = True
    min_size: int = 1024
    quality: int = 6
    exclude_types: Sequence[str] = ()
    decode_requests: bool = False

    def __post_init__(self) -> None:
        for flag in ("gzip", "brotli", "zstd", "decode_requests"):
            bounds.instance(self, flag, bool)
        bounds.whole(self, "min_size", least=0)
        bounds.whole(self, "quality", least=0, most=11)
        bounds.strings(self, "exclude_types")


__all__ = ["CompressionConfig"]
