"""Machines to begin with."""

from importlib.resources import files
from typing import Any

from spikard.fsm.config_text import read_text

_FOLDER = files("spikard.fsm") / "templates"


def template_names() -> list[str]:
    """The names of the templates that come with the package."""
    names = [entry.name.removesuffix(".yaml") for entry in _FOLDER.iterdir()]
    return sorted(name for name in names if name and "." not in name)


def template_text(name: str) -> str:
    """The YAML of a template."""
    if name not in template_names():
        raise ValueError(f"There is no template '{name}'; there are {', '.join(template_names())}")
    return (_FOLDER / f"{name}.yaml").read_text(encoding="utf-8")


def scenario_text(name: str) -> str:
    """The YAML of a template's scenarios."""
    template_text(name)
    return (_FOLDER / f"{name}.scenarios.yaml").read_text(encoding="utf-8")


def template_scenarios(name: str) -> list[dict[str, Any]]:
    """What a template's machine does: a context, events, and the state after each."""
    scenarios: list[dict[str, Any]] = read_text(scenario_text(name)).value()
    return scenarios
