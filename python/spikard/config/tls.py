"""Encrypted connections."""

import os
from dataclasses import dataclass

from spikard.config import bounds
from spikard.config.settings import Settings

StrPath = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class TlsConfig(Settings):
    """Certificate and key files; `client_ca` asks clients for certificates of their own."""

    cert: StrPath
    key: StrPath
    client_ca: StrPath | None = None
    min_version: str = "1.2"

    def __post_init__(self) -> None:
        bounds.file_path(self, "cert")
        bounds.file_path(self, "key")
        bounds.file_path(self, "client_ca", optional=True)
        bounds.choice(self, "min_version", ("1.2", "1.3"))


__all__ = ["TlsConfig"]
