"""The repository as a thing to ask questions."""

import json
import subprocess
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Crate:
    """A package of the graph, ours or somebody else's."""

    name: str
    version: str
    licence: str
    source: str | None
    edges: dict[str, frozenset[str]] = field(default_factory=dict)
    """Keys of the crates it needs, by kind of dependency: `normal`, `build`, `dev`."""

    @property
    def key(self) -> str:
        """Name and version: one name may be there in two versions."""
        return f"{self.name} {self.version}"

    @property
    def is_ours(self) -> bool:
        """Whether it is a member of the workspace."""
        return self.source is None

    def needs(self, *kinds: str) -> frozenset[str]:
        """Keys of the crates it needs directly."""
        return frozenset().union(*(self.edges.get(kind, frozenset()) for kind in kinds))


@dataclass(frozen=True)
class CrateGraph:
    """All packages of the lock file with the edges between them, every feature of ours switched on."""

    crates: tuple[Crate, ...]

    def ours(self) -> dict[str, Crate]:
        """The members of the workspace by name."""
        return {crate.name: crate for crate in self.crates if crate.is_ours}

    def closure(self, name: str) -> set[str]:
        """Keys of everything that is compiled for a crate of ours, itself left out; development tools do not count."""
        crates = {crate.key: crate for crate in self.crates}
        seen: set[str] = set()
        waiting = [self.ours()[name].key]
        while waiting:
            new = crates[waiting.pop()].needs("normal", "build") - seen
            seen |= new
            waiting += new
        return seen


def names(keys: Iterable[str]) -> set[str]:
    """The names in keys of crates."""
    return {key.split()[0] for key in keys}


@dataclass(frozen=True)
class Repository:
    """The files that git knows or would take in, below `root`."""

    root: Path

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """Paths relative to the root; build products and ignored files are not among them."""
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        listing = subprocess.run(command, cwd=self.root, capture_output=True, check=True, text=True).stdout
        paths = (Path(name) for name in listing.split("\0") if name)
        return tuple(sorted(path for path in paths if (self.root / path).is_file()))

    def matching(self, *patterns: str) -> Iterator[Path]:
        """The files whose relative path matches one of the patterns."""
        for path in self.files:
            if any(path.match(pattern) for pattern in patterns):
                yield path

    def text(self, path: Path | str) -> str:
        """The content of a file."""
        return (self.root / path).read_text(encoding="utf-8")

    def toml(self, path: Path | str) -> dict[str, Any]:
        """The content of a TOML file."""
        return tomllib.loads(self.text(path))

    def crate_graph(self) -> CrateGraph:
        """Ask cargo; needs no network once the lock file's crates are on the machine."""
        command = ["cargo", "metadata", "--locked", "--format-version", "1", "--all-features"]
        output = subprocess.run(command, cwd=self.root, capture_output=True, check=True, text=True).stdout
        metadata = json.loads(output)
        keys = {package["id"]: f"{package['name']} {package['version']}" for package in metadata["packages"]}
        edges: dict[str, dict[str, set[str]]] = {}
        for node in metadata["resolve"]["nodes"]:
            kinds = edges.setdefault(node["id"], {})
            for dependency in node["deps"]:
                for kind in dependency["dep_kinds"]:
                    kinds.setdefault(kind["kind"] or "normal", set()).add(keys[dependency["pkg"]])
        return CrateGraph(
            tuple(
                Crate(
                    name=package["name"],
                    version=package["version"],
                    licence=package["license"] or "",
                    source=package["source"],
                    edges={kind: frozenset(needed) for kind, needed in edges[package["id"]].items()},
                )
                for package in metadata["packages"]
            )
        )
