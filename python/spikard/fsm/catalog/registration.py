"""Entries into registries."""

import logging
from collections.abc import Callable, Iterable
from typing import Any

from spikard.fsm.action_registry import ActionRegistry
from spikard.fsm.catalog.entry import CatalogEntry
from spikard.fsm.catalog.entry_point import PACKAGES_VARIABLE, allowed_packages, resolve_entry_point
from spikard.fsm.catalog.source_code import resolve_source_code_callable
from spikard.fsm.features import get_allow_catalog_code
from spikard.fsm.guard_registry import GuardRegistry

_LOGGER = logging.getLogger(__name__)


def apply_catalog_entries(
    actions: ActionRegistry,
    guards: GuardRegistry,
    entries: Iterable[CatalogEntry],
    *,
    log_name: str = "registry",
) -> tuple[int, int]:
    """Register what entries name: how many were registered, and how many failed, which the log names.

    Entries that are disabled, or whose code nobody has allowed to run, are left out. Whoever may write to a database
    must not choose what is imported: its entries need SPIKARD_FSM_CATALOG_PACKAGES.
    """
    registered = errors = 0
    for entry in entries:
        if not entry.enabled:
            continue
        if entry.implementation_kind == "source_code" and not get_allow_catalog_code():
            _LOGGER.warning(
                "[%s] Skip %s %r: source_code catalog callables are disabled", log_name, entry.kind, entry.name
            )
            continue
        try:
            function = _function(entry)
            if entry.kind == "action":
                about = {
                    name: getattr(entry, name) for name in ("description", "params_schema", "version_label", "source")
                }
                actions.register(
                    entry.name, function, {key: value for key, value in about.items() if value is not None}
                )
            else:
                guards.register(entry.name, function)
        except Exception as error:  # noqa: BLE001 - anything may happen where modules are imported
            place = entry.entry_point if entry.implementation_kind == "entry_point" else "source_code"
            _LOGGER.warning(
                "[%s] Skip %s %r: cannot resolve %s implementation %r: %s",
                log_name,
                entry.kind,
                entry.name,
                entry.implementation_kind,
                place,
                error,
            )
            errors += 1
        else:
            registered += 1
    return registered, errors


def _function(entry: CatalogEntry) -> Callable[..., Any]:
    if entry.implementation_kind == "source_code":
        if not entry.source_code:
            raise ValueError("source_code implementation requires source_code")
        return resolve_source_code_callable(entry.name, entry.source_code)
    if not entry.entry_point:
        raise ValueError("entry_point implementation requires entry_point")
    if entry.source == "database" and allowed_packages() is None:
        raise ValueError(f"entry points in a database need {PACKAGES_VARIABLE}")
    return resolve_entry_point(entry.entry_point)
