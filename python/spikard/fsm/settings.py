"""Where settings of state machines are read: the environment, else `spikard.toml`, else what PyStator has left."""

import logging
import os
import tomllib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from spikard.fsm.former_settings import former_setting

logger = logging.getLogger("spikard.fsm.settings")

PREFIX = "SPIKARD_FSM_"
FILE = "spikard.toml"
Source = Literal["env", "cfg"]

# What was told of already.
_told: set[str] = set()


class Setting(NamedTuple):
    """A value as it was found, the place to name where it is wrong, and what kind of place that is."""

    value: Any
    place: str
    source: Source


def setting(
    name: str, section: str = "", *, prefix: str = "", former: tuple[str, str] | None = None, may_be_empty: bool = False
) -> Setting | None:
    """A setting, or None where nothing says what it is.

    `SPIKARD_FSM_<PREFIX><NAME>` is asked first, then `name` in `[fsm.<section>]`, then, with `former`, the setting of
    PyStator by its name and section. An empty variable says nothing unless it `may_be_empty`.
    """
    variable = f"{PREFIX}{prefix}{name}".upper()
    text = os.environ.get(variable)
    if text or (text is not None and may_be_empty):
        return Setting(text, variable, "env")
    table = f"fsm.{section}" if section else "fsm"
    value = _table(section).get(name)
    if value is not None and not isinstance(value, dict):
        return Setting(value, f"{name!r} in [{table}] of {FILE}", "cfg")
    found = None if former is None else former_setting(*former)
    if found is None:
        return None
    return Setting(found[0], found[1], "env" if found[1].partition(" ")[0] == found[1] else "cfg")


def number(found: Setting, kind: type) -> Any:
    """The number that a setting holds, or ValueError that names its place."""
    try:
        return kind(found.value)
    except (TypeError, ValueError):
        raise ValueError(f"{found.place} must be of type {kind.__name__}, not {found.value!r}") from None


def configured_database() -> str | None:
    """`SPIKARD_FSM_DATABASE_URL`, else `database_url` of `[fsm]`; None where neither is given."""
    found = setting("database_url", former=("database_url", "database"))
    return str(found.value) if found is not None and found.value else None


def application_database() -> str:
    """`configured_database`, else a file in the working directory."""
    return configured_database() or f"sqlite:///{Path.cwd() / 'spikard_fsm.db'}"


def discovery_database() -> str:
    """`SPIKARD_FSM_DISCOVERY_DATABASE_URL`, else `database_url` of `[fsm.discovery]`, else the application's."""
    found = setting(
        "database_url", "discovery", prefix="discovery_", former=("discovery_database_url", "discovery")
    )  # fmt: skip
    return str(found.value) if found is not None and found.value else application_database()


def discovery_thresholds() -> tuple[int, float]:
    """How often a step must have been seen to count, and its share of all steps out of its state."""
    limits: list[Any] = []
    for name, kind, default in (("min_edge_count", int, 2), ("min_confidence", float, 0.5)):
        found = setting(name, "discovery", prefix="discovery_", former=(f"discovery_{name}", "discovery"))
        limits.append(default if found is None else number(found, kind))
    return limits[0], limits[1]


def tell_unknown(section: str, known: Sequence[str]) -> None:
    """Log the keys of `[fsm.<section>]` that are no settings, each once and with the nearest that is one."""
    for key in sorted(_table(section).keys() - set(known)):
        place = f"{key!r} in [fsm.{section}] of {Path(FILE).absolute()}"
        if place not in _told:
            from difflib import get_close_matches  # hardly ever needed

            _told.add(place)
            near = get_close_matches(key, known, 1)
            logger.warning("%s is no setting%s", place, f"; did you mean {near[0]!r}?" if near else "")


def _table(section: str) -> dict[str, Any]:
    path = Path(FILE)
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        return {}
    whole = _read(str(path.absolute()), changed)
    table = whole.get(section, {}) if section else whole
    return table if isinstance(table, dict) else {}


@lru_cache(maxsize=4)
def _read(path: str, changed: int) -> dict[str, Any]:  # noqa: ARG001 - a changed file is read anew
    try:
        found = tomllib.loads(Path(path).read_text("utf-8")).get("fsm", {})
    except ValueError as error:
        raise ValueError(f"{FILE} cannot be read: {error}") from None
    return found if isinstance(found, dict) else {}
