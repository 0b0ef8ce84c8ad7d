"""Keys that are nearly ones of the format. Others are allowed: what the engine does not know is kept as metadata."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, NamedTuple

from spikard.fsm.config_schema import config_schema

Path = tuple[str | int, ...]
# How alike two words must be, from 0 to 1: a letter that is missing, doubled or in another place.
LIKENESS = 0.75


class Misspelt(NamedTuple):
    """A key, where the mapping is that it stands in, and what was probably meant."""

    place: Path
    key: str
    meant: str


def misspelt_keys(config: Mapping[str, Any]) -> Iterator[Misspelt]:
    """The keys of a configuration that were probably to be others."""
    yield from _near((), config, "root")
    yield from _near(("meta",), config.get("meta"), "meta")
    yield from _near(("error_policy",), config.get("error_policy"), "errorPolicy")
    for index, state in _items(config.get("states")):
        yield from _near(("states", index), state, "state")
        for number, region in _items(state.get("regions")):
            yield from _near(("states", index, "regions", number), region, "region")
    for index, transition in _items(config.get("transitions")):
        yield from _near(("transitions", index), transition, "transition")


def _items(value: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for index, item in enumerate(value if isinstance(value, list) else ()):
        if isinstance(item, Mapping):
            yield index, item


def _near(place: Path, value: Any, kind: str) -> Iterator[Misspelt]:
    known = _known(kind)
    for key in value if isinstance(value, Mapping) else ():
        if not isinstance(key, str) or key in known:
            continue
        free = [name for name in known if name not in value]
        found = get_close_matches(key.lower(), free, 1, LIKENESS)
        if found:
            yield Misspelt(place, key, found[0])


@lru_cache(maxsize=1)
def _schema() -> dict[str, Any]:
    return config_schema()


def _known(kind: str) -> list[str]:
    schema = _schema()
    part = schema if kind == "root" else schema["$defs"][kind]
    extra = {"root": ["migrations"], "errorPolicy": ["strict_mode", "on_invalid_trigger"]}
    return [*part["properties"], *extra.get(kind, ())]
