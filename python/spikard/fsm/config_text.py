"""Configurations as text."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from spikard._spikard import ConfigSource, read_config
from spikard.fsm.errors import ConfigurationError

_FORMATS = {".yaml": ("yaml",), ".yml": ("yaml",), ".json": ("json",)}


def read_file(path: Path, variables: Mapping[str, str] | None = None) -> ConfigSource:
    """Reads a file; the suffix says how, and without one YAML is tried, then JSON."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigurationError(f"Configuration file not found: {path}", path=str(path)) from None
    except UnicodeDecodeError as error:
        raise _not_utf8(error, path) from None
    except OSError as error:
        raise ConfigurationError(f"Failed to read configuration: {error}", path=str(path)) from error
    formats = _FORMATS.get(path.suffix.lower(), ("yaml", "json"))
    first: ConfigurationError | None = None
    for form in formats:
        try:
            source = read_text(text, form, path=str(path), variables=variables)
        except ConfigurationError as error:
            if first is None or "variable" in error.context:
                first = error
            continue
        return source
    if first is None:
        raise AssertionError("there is a format for every suffix")
    raise first


def _not_utf8(error: UnicodeDecodeError, path: Path) -> ConfigurationError:
    before = error.object[: error.start].decode("utf-8")
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    byte = error.object[error.start]
    return ConfigurationError(
        f"Configuration file cannot be read: it is not UTF-8, byte 0x{byte:02x} at line {line}, column {column}",
        path=str(path),
        context={"line": line, "column": column},
    )


def read_text(
    text: str, form: str = "yaml", *, path: str | None = None, variables: Mapping[str, str] | None = None
) -> ConfigSource:
    """Reads a text with its variables put in; faults say where in it they are."""
    try:
        return read_config(text, form, _lookup(variables))
    except ValueError as error:
        message, kind, line, column, variable = error.args
        place = {"line": line, "column": column}
        if kind == "variable":
            raise ConfigurationError(
                f"Variable substitution error: {message}", path=path, context={"variable": variable, **place}
            ) from None
        name = "JSON" if form == "json" else "YAML"
        what = f"Invalid {name} syntax" if kind == "syntax" else f"{name} beyond the limits"
        raise ConfigurationError(
            f"{what}: {message} at line {line}, column {column}", path=path, context=place
        ) from None


def _lookup(variables: Mapping[str, str] | None) -> Callable[[str], str | None]:
    given = variables or {}

    def value(name: str) -> str | None:
        found = given.get(name)
        return os.environ.get(name) if found is None else str(found)

    return value


def as_mapping(value: Any, path: str, what: str = "Configuration") -> dict[str, Any]:
    """The configuration of one machine, which is a mapping."""
    if not isinstance(value, dict):
        form = "JSON object" if path.lower().endswith(".json") else "YAML mapping"
        raise ConfigurationError(f"{what} must be a {form} (dictionary)", path=path)
    return value
