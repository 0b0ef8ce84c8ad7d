"""Machines in machines."""

from pathlib import Path
from typing import Any

from spikard._spikard import expand_submachines
from spikard.fsm.config_text import read_file
from spikard.fsm.errors import ConfigurationError


def resolve_submachines(config: dict[str, Any], base_path: Path | str | None = None) -> dict[str, Any]:
    """Puts the machines in that states refer to with `submachine`, files relative to `base_path`.

    Files must lie in that folder or below it, so that a configuration can't read what isn't beside it. A configuration
    without any is given back itself.
    """
    states = config.get("states")
    if not isinstance(states, list | tuple) or not any(_is_host(state) for state in states):
        return config
    root = Path(base_path) if base_path is not None else Path.cwd()

    def load(reference: str, base: str) -> tuple[dict[str, Any], str]:
        path = (Path(base) / reference).resolve()
        if not path.is_relative_to(root.resolve()):
            raise ValueError(f"SubMachine file is outside of {root}: {reference}")
        if not path.is_file():
            raise ValueError(f"SubMachine file not found: {reference}")
        try:
            found = read_file(path).value()
        except ConfigurationError as error:
            raise ValueError(f"SubMachine file {reference}: {error.message}") from error
        if not isinstance(found, dict):
            raise ValueError(f"SubMachine file must contain a mapping: {reference}")
        return found, str(path.parent)

    return expand_submachines(config, str(root), load)


def _is_host(state: Any) -> bool:
    return isinstance(state, dict) and state.get("submachine") is not None
