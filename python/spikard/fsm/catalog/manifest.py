"""Entries as YAML: lists `actions` and `guards`."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from spikard._spikard import read_config
from spikard.fsm.catalog.entry import CatalogEntry, CatalogKind
from spikard.fsm.errors import ConfigurationError
from spikard.fsm.names import NAME_PATTERN

NAME_ERROR_MESSAGE = (
    "must contain only lowercase letters (a-z), numbers (0-9), and underscores (_). "
    "No spaces, uppercase letters, or special characters allowed."
)

_BLOCKS: tuple[tuple[str, CatalogKind], ...] = (("actions", "action"), ("guards", "guard"))
_FIELDS: dict[str, tuple[type, str]] = {
    "description": (str, "a string"),
    "params_schema": (dict, "an object"),
    "enabled": (bool, "a boolean"),
    "version_label": (str, "a string"),
}
# Words that mean themselves in every YAML.
_PLAIN = re.compile(
    r"(?!(?:true|false|null|yes|no|on|off|y|n)$)[A-Za-z_][A-Za-z0-9_.]*(?::[A-Za-z_][A-Za-z0-9_.]*)?", re.IGNORECASE
)


def parse_manifest_yaml_text(text: str, *, source: str = "<string>") -> list[CatalogEntry]:
    """The entries of a manifest, or `ConfigurationError`."""
    if not text.strip():
        return []
    try:
        manifest = read_config(text, "yaml").value()
    except ValueError as error:
        message, _, line, column, *_ = error.args
        raise ConfigurationError(
            f"Invalid YAML in registry manifest: {message} at line {line}, column {column}", path=source
        ) from None
    if manifest is None:
        return []
    if not isinstance(manifest, dict):
        raise ConfigurationError("Registry manifest must be a mapping at the top level", path=source)
    return [
        _entry(kind, block, place, item, source)
        for block, kind in _BLOCKS
        for place, item in enumerate(_items(manifest, block, source))
    ]


def load_manifest_path(path: str | Path) -> list[CatalogEntry]:
    """The entries of a manifest in a file, or `ConfigurationError`."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigurationError(f"Registry manifest not found: {path}", path=str(path)) from None
    return parse_manifest_yaml_text(text, source=str(path))


def catalog_entries_to_yaml_text(entries: Iterable[CatalogEntry]) -> str:
    """A manifest of the entries, by kind and name."""
    ordered = sorted(entries, key=lambda entry: (entry.kind, entry.name))
    lines = []
    for block, kind in _BLOCKS:
        of_kind = [entry for entry in ordered if entry.kind == kind]
        lines += [f"{block}:"] if of_kind else []
        for entry in of_kind:
            first, *others = (f"{key}: {_scalar(value)}" for key, value in _written(entry).items())
            lines += [f"- {first}", *(f"  {line}" for line in others)]
    return "\n".join(lines) + "\n" if lines else "# Empty registry catalog\n"


def _items(manifest: dict[str, Any], block: str, source: str) -> list[Any]:
    items = manifest.get(block)
    if items is None:
        return []
    if not isinstance(items, list):
        raise ConfigurationError(f"Registry manifest {block!r} must be a list", path=source)
    return items


def _entry(kind: CatalogKind, block: str, place: int, item: Any, source: str) -> CatalogEntry:
    def wrong(what: str, name: str | None = None) -> ConfigurationError:
        where = f"item {place}" if name is None else f"item {name!r}:"
        return ConfigurationError(f"Registry manifest {block!r} {where} {what}", path=source)

    if not isinstance(item, dict):
        raise wrong("must be a mapping")
    name = item.get("name")
    if not isinstance(name, str) or not name.strip():
        raise wrong("needs non-empty string 'name'")
    name = name.strip()
    if not NAME_PATTERN.fullmatch(name):
        raise wrong(f"name {NAME_ERROR_MESSAGE} Got: {name!r}")
    form = item.get("implementation_kind", "entry_point")
    if form not in ("entry_point", "source_code"):
        raise wrong("'implementation_kind' must be 'entry_point' or 'source_code'", name)
    code = item.get(form)
    if not isinstance(code, str) or not code.strip():
        if form == "entry_point":
            raise wrong("needs non-empty string 'entry_point'")
        raise wrong("source_code implementation needs non-empty string 'source_code'", name)
    given = {key: item[key] for key in _FIELDS if item.get(key) is not None}
    for key, value in given.items():
        kind_wanted, words = _FIELDS[key]
        if not isinstance(value, kind_wanted):
            raise wrong(f"{key!r} must be {words}", name)
    implementation: dict[str, Any] = {form: code.strip() if form == "entry_point" else code}
    return CatalogEntry(kind, name, implementation_kind=form, **implementation, **given)


def _written(entry: CatalogEntry) -> dict[str, Any]:
    written: dict[str, Any] = {"name": entry.name}
    if entry.implementation_kind == "source_code":
        written |= {"implementation_kind": "source_code", "source_code": entry.source_code}
    else:
        written["entry_point"] = entry.entry_point
    written |= {"description": entry.description, "params_schema": entry.params_schema}
    if not entry.enabled:
        written["enabled"] = False
    written["version_label"] = entry.version_label
    return {key: value for key, value in written.items() if value is not None}


def _scalar(value: Any) -> str:
    """JSON is YAML; plain words are easier to read."""
    return value if isinstance(value, str) and _PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)
