"""Which of two versions is newer, by Semantic Versioning."""

import re
from typing import Any

_VERSION = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?")


def version_key(version: str) -> tuple[Any, ...]:
    """A key to sort versions by: releases above their previews, and what is no version below all that are."""
    found = _VERSION.fullmatch(version.strip())
    if found is None:
        return 0, version
    numbers = tuple(int(part or 0) for part in found.group(1, 2, 3))
    if found[4] is None:
        return 1, numbers, 1, ()
    # Numbers are below words, and compared as numbers.
    preview = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in found[4].split("."))
    return 1, numbers, 0, preview
