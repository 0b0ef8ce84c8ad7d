"""Settings that were made for PyStator: its variables, then its file. Read where ours say nothing, with one notice."""

import logging
import os
from configparser import ConfigParser, Error
from functools import lru_cache
from pathlib import Path

from spikard.fsm.errors import ConfigurationError

PREFIX = "PYSTATOR_"
FILE = "pystator.cfg"

logger = logging.getLogger("spikard.fsm")


def former_setting(name: str, section: str) -> tuple[str, str] | None:
    """A setting and the place where it was found: `PYSTATOR_<NAME>`, or the same in a section of `pystator.cfg`."""
    variable = PREFIX + name.upper()
    value = os.environ.get(variable, "").strip()
    if value:
        _notice(variable)
        return value, variable
    for path in (Path.cwd() / FILE, Path.home() / ".pystator" / FILE):
        try:
            changed = path.stat().st_mtime_ns
        except OSError:
            continue
        value = _read(path, changed).get(section, {}).get(variable.lower(), "").strip()
        if value:
            _notice(FILE)
            return value, f"{variable} in [{section}] of {path}"
        break
    return None


@lru_cache(maxsize=4)
def _read(path: Path, changed: int) -> dict[str, dict[str, str]]:  # noqa: ARG001 - a changed file is read anew
    parser = ConfigParser(interpolation=None)
    try:
        parser.read(path, encoding="utf-8")
    except Error as error:
        raise ConfigurationError(f"{path} cannot be read: {error}", path=str(path)) from error
    return {name: dict(parser[name]) for name in parser.sections()}


@lru_cache(maxsize=1)
def _once() -> list[str]:
    return []


def _notice(place: str) -> None:
    told = _once()
    if not told:
        told.append(place)
        logger.warning("Settings of PyStator are in use (%s); their names here begin with SPIKARD_FSM_", place)
