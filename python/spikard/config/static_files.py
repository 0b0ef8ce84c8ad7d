"""Directories served as they are."""

import os
from dataclasses import dataclass
from typing import TypedDict

from spikard.config import bounds
from spikard.config.settings import Settings


class StaticFilesKeywords(TypedDict, total=False):
    """The fields of `StaticFilesConfig` beside the two that are always given."""

    index_file: bool
    cache_control: str | None
    html: bool
    follow_symlinks: bool
    precompressed: bool
    max_age: int | None
    dotfiles: bool


@dataclass(frozen=True, slots=True)
class StaticFilesConfig(Settings):
    """A directory below a prefix; `html` answers unknown paths with its index.html.

    `max_age`, in seconds, is a short way to write a `cache_control`.
    """

    directory: str | os.PathLike[str]
    route_prefix: str
    index_file: bool = True
    cache_control: str | None = None
    html: bool = False
    follow_symlinks: bool = False
    precompressed: bool = True
    max_age: int | None = None
    dotfiles: bool = False

    def __post_init__(self) -> None:
        bounds.file_path(self, "directory")
        bounds.route_path(self, "route_prefix")
        for flag in ("index_file", "html", "follow_symlinks", "precompressed", "dotfiles"):
            bounds.instance(self, flag, bool)
        bounds.text(self, "cache_control", optional=True)
        bounds.whole(self, "max_age", least=0, optional=True)

    def to_dict(self) -> dict[str, object]:
        """The settings as plain values; the directory as text."""
        return {**Settings.to_dict(self), "directory": os.fspath(self.directory)}


__all__ = ["StaticFilesConfig", "StaticFilesKeywords"]
