"""Fetches the programs that show OpenAPI documents and packs them for the wheel.

    python tools/page_assets.py

Each version is pinned with the hash that the registry publishes for it; `npm` does the fetching. What is written to
`python/spikard/openapi/assets` is committed, so that builds and clones need neither npm nor the network.
"""

import base64
import gzip
import hashlib
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

ASSETS = Path(__file__).resolve().parent.parent / "python" / "spikard" / "openapi" / "assets"


@dataclass(frozen=True)
class Source:
    """A package of the registry, and its files by the names they get."""

    name: str
    version: str
    integrity: str
    files: dict[str, str]
    # Of the package and of what is bundled in it; where it brings none, the text beside the files is its repository's.
    licences: tuple[str, ...]
    # Texts in the files, and what they are replaced by.
    changes: tuple[tuple[str, str], ...] = ()


SOURCES = (
    Source(
        "swagger-ui-dist",
        "5.35.0",
        "sha512-U06rpMtW9V3XPGOBeamTUSr0Z09jMX4IJuANpE/EZbAhw0G8CgwrzU4YmXkn/h0wCDNsXdGarTNNHC3sU8yVUQ==",
        {"swagger-ui-bundle.js": "swagger-ui-bundle.js", "swagger-ui.css": "swagger-ui.css"},
        ("LICENSE", "swagger-ui-bundle.js.LICENSE.txt"),
    ),
    # Of the 3rd major version the file is twice as large, and its pages send readers to chat services.
    Source(
        "redoc",
        "2.5.4",
        "sha512-M6jWhG1qoBnH6TFmzJnstyCZ87HmOY/UzDm78mHiYihEdlV/YcS9ogOo1NlElnJMeLsyxHFe2yFc4sNjHTrABQ==",
        {"bundles/redoc.standalone.js": "redoc.standalone.js"},
        ("LICENSE", "bundles/redoc.standalone.js.LICENSE.txt"),
        # The picture beside the maker's name: hidden when it cannot be shown, which the page's policy sees to anyway.
        changes=(("https://cdn.redoc.ly/redoc/logo-mini.svg", "data:,"),),
    ),
    Source(
        "@scalar/api-reference",
        "1.72.1",
        "sha512-XpEJ0rfc/cXbCrR+iC4kK0o/WwX2dTtGQbT049OlPKAHD6IMIFdTeGz2r+M27P2EDWKyUITRm/NzlP8z2pw/Ow==",
        {"dist/browser/standalone.js": "scalar.js"},
        (),
    ),
)


def main() -> None:
    """Fetch, check and pack everything."""
    for source in SOURCES:
        with tempfile.TemporaryDirectory() as folder:
            pack(source, fetched(source, Path(folder)))


def fetched(source: Source, folder: Path) -> Path:
    """The archive of a package, checked."""
    command = ["npm", "pack", "--silent", "--pack-destination", str(folder), f"{source.name}@{source.version}"]
    subprocess.run(command, check=True, stdout=sys.stderr)
    (archive,) = folder.glob("*.tgz")
    algorithm, _, wanted = source.integrity.partition("-")
    found = base64.b64encode(hashlib.new(algorithm, archive.read_bytes()).digest()).decode()
    if found != wanted:
        raise SystemExit(f"{source.name}@{source.version} is {algorithm}-{found}, wanted is {source.integrity}")
    return archive


def pack(source: Source, archive: Path) -> None:
    """Write the files of a package, and its licence beside them."""
    with tarfile.open(archive) as opened:

        def content(name: str) -> bytes:
            member = opened.extractfile(f"package/{name}")
            if member is None:
                raise SystemExit(f"{source.name} has no file {name}")
            return member.read()

        for name, target in source.files.items():
            text = content(name)
            for old, new in source.changes:
                text = text.replace(old.encode(), new.encode())
            # No time in it: the same input gives the same file.
            (ASSETS / f"{target}.gz").write_bytes(gzip.compress(text, 9, mtime=0))
        if source.licences:
            texts = b"\n".join(content(name) for name in source.licences)
            (ASSETS / f"{source.name.strip('@').replace('/', '-')}.LICENSE").write_bytes(texts)


if __name__ == "__main__":
    main()
