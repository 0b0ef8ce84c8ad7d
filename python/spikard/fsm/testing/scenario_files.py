"""Scenarios in files: `order.scenarios.yaml` beside `order.yaml`."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from spikard.fsm.config_text import read_file, read_text
from spikard.fsm.errors import ConfigurationError
from spikard.fsm.template_gallery import template_scenarios as written_scenarios
from spikard.fsm.testing.scenario import Scenario


def load_scenarios(path: str | Path) -> list[Scenario]:
    """The scenarios of a file, YAML or JSON: a list of them, or a mapping with the key `scenarios`."""
    return read_scenarios(read_file(Path(path)).value(), str(path))


def parse_scenarios(text: str) -> list[Scenario]:
    """The scenarios of a text in YAML or JSON."""
    return read_scenarios(read_text(text).value())


def template_scenarios(name: str) -> list[Scenario]:
    """The scenarios of a template that comes with the package."""
    return read_scenarios(written_scenarios(name), f"{name}.scenarios.yaml")


def read_scenarios(value: Any, path: str | None = None) -> list[Scenario]:
    """Scenarios from plain data."""
    if isinstance(value, dict) and "scenarios" in value:
        value = value["scenarios"]
    if not isinstance(value, list):
        raise ConfigurationError("Scenarios are a list, or a mapping with the key 'scenarios'", path=path)
    try:
        scenarios = [Scenario.from_config(item, f"scenario {number}") for number, item in enumerate(value, 1)]
    except ConfigurationError as error:
        raise ConfigurationError(error.message, path=path) from None
    _refuse_doubles(scenarios, path)
    return scenarios


def _refuse_doubles(scenarios: Iterable[Scenario], path: str | None) -> None:
    names: set[str] = set()
    for scenario in scenarios:
        if scenario.name in names:
            raise ConfigurationError(f"There are two scenarios '{scenario.name}'", path=path)
        names.add(scenario.name)
