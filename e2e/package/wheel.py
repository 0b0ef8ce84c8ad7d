"""A wheel file as a thing to ask questions."""

import zipfile
from dataclasses import dataclass
from email.message import Message
from email.parser import Parser
from functools import cached_property
from pathlib import Path

EXECUTABLE = 0o111


@dataclass(frozen=True)
class Wheel:
    """A built package."""

    path: Path

    @cached_property
    def entries(self) -> dict[str, zipfile.ZipInfo]:
        """What is in it, by name."""
        with zipfile.ZipFile(self.path) as archive:
            return {entry.filename: entry for entry in archive.infolist() if not entry.is_dir()}

    def named(self, suffix: str) -> list[str]:
        """Names that end so."""
        return [name for name in self.entries if name.endswith(suffix)]

    def read(self, suffix: str) -> bytes:
        """The content of the only entry whose name ends so."""
        (name,) = self.named(suffix)
        with zipfile.ZipFile(self.path) as archive:
            return archive.read(name)

    def is_executable(self, name: str) -> bool:
        """Whether installers give it the execute bit."""
        return bool(self.entries[name].external_attr >> 16 & EXECUTABLE)

    def metadata(self, name: str = "METADATA") -> Message:
        """The headers of a file of its dist-info."""
        return Parser().parsestr(self.read(f".dist-info/{name}").decode())
