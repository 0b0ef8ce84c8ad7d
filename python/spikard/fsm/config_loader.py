"""Configurations from files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spikard.fsm.config_text import as_mapping, read_file
from spikard.fsm.config_validator import ConfigValidator
from spikard.fsm.errors import ConfigurationError
from spikard.fsm.state import State
from spikard.fsm.submachine import resolve_submachines
from spikard.fsm.transition import Transition


class ConfigLoader:
    """Reads configurations: variables put in, submachines expanded, checked.

    `variables` win over the environment. With `strict=False` what is wrong is left to whoever builds the machine.
    """

    def __init__(self, validate: bool = True, strict: bool = True, variables: dict[str, str] | None = None) -> None:
        self.validate = validate
        self.strict = strict
        self.variables: Mapping[str, str] = variables or {}

    def load(self, path: str | Path) -> dict[str, Any]:
        """The configuration in a file."""
        place = Path(path)
        config = as_mapping(read_file(place, self.variables).value(), str(path))
        try:
            config = resolve_submachines(config, place.parent)
        except ValueError as error:
            raise ConfigurationError(str(error), path=str(path)) from error
        try:
            self._check(config)
        except ConfigurationError as error:
            raise ConfigurationError(error.message, context=error.context, path=str(path)) from None
        return config

    def load_dict(self, config: dict[str, Any]) -> dict[str, Any]:
        """The configuration in a mapping; variables are left as they are."""
        config = resolve_submachines(config)
        self._check(config)
        return config

    def _check(self, config: dict[str, Any]) -> None:
        if self.validate and self.strict:
            ConfigValidator().validate_strict(config)

    def parse(self, config: dict[str, Any]) -> tuple[dict[str, State], list[Transition], dict[str, Any]]:
        """The states by name, the transitions in their order, and the rest, each part checked for its form."""
        from spikard.fsm.definition import read_definition

        if self.validate:
            ConfigValidator().validate_form(config)
        states, transitions, meta = read_definition(config)
        return states, transitions, {"strict_mode": True, "validate_context": False, **meta}


def load_config(
    path: str | Path, validate: bool = True, strict: bool = True, variables: dict[str, str] | None = None
) -> dict[str, Any]:
    """The configuration in a file: `ConfigLoader(...).load(path)`."""
    return ConfigLoader(validate=validate, strict=strict, variables=variables).load(path)
