"""One event of each kind, and of the variants that are easy to forget, as the server delivers them."""

from functools import cache
from importlib.resources import files
from typing import Any

import msgspec


@cache
def names() -> list[str]:
    """Names of all samples."""
    return sorted(path.name.removesuffix(".json") for path in _folder().iterdir() if path.name.endswith(".json"))


def sample(name: str) -> dict[str, Any]:
    """The event of that name, with its id, type and payload; a new one each time.

    Raises:
        KeyError: There is none of that name.
    """
    if name not in names():
        raise KeyError(f"There is no sample {name!r}; there are {', '.join(names())}")
    event: dict[str, Any] = msgspec.json.decode((_folder() / f"{name}.json").read_bytes())
    return event


def _folder() -> Any:
    return files("spikard.bots") / "testdata"


__all__ = ["names", "sample"]
