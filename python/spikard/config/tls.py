"""Encrypted connections."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from spikard.config import bounds
from spikard.config.settings import Settings

StrPath = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class TlsConfig(Settings):
    """Certificate and key, PEM files; `client_ca` asks clients for certificates of their own.

    `hosts` maps further host names to `(cert, key)`; `*.example.org` stands for one label. Files that change are
    read again within ten seconds, without a restart.
    """

    cert: StrPath
    key: StrPath
    client_ca: StrPath | None = None
    min_version: str = "1.2"
    hosts: Mapping[str, tuple[StrPath, StrPath]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        bounds.file_path(self, "cert")
        bounds.file_path(self, "key")
        bounds.file_path(self, "client_ca", optional=True)
        bounds.choice(self, "min_version", ("1.2", "1.3"))
        bounds.instance(self, "hosts", Mapping)
        for host, pair in self.hosts.items():
            if not (isinstance(host, str) and host and isinstance(pair, tuple) and len(pair) == 2):
                raise bounds.refusal(self, "hosts", "host names with (cert, key) each", self.hosts)


__all__ = ["TlsConfig"]
