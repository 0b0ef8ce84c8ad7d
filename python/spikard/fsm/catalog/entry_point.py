"""Functions by the places that texts name."""

import os
from collections.abc import Callable
from importlib import import_module
from typing import Any

PACKAGES_VARIABLE = "SPIKARD_FSM_CATALOG_PACKAGES"


def allowed_packages() -> frozenset[str] | None:
    """The packages that entry points may name, or None where nobody has said."""
    text = os.environ.get(PACKAGES_VARIABLE)
    return None if text is None else frozenset(filter(None, (part.strip() for part in text.split(","))))


def resolve_entry_point(spec: str, *, packages: frozenset[str] | None = None) -> Callable[..., Any]:
    """What `module:function` or `module:Class.method` names.

    Packages limit what may be imported; without them SPIKARD_FSM_CATALOG_PACKAGES does, names with commas between, if
    it is set. Importing runs code: no module outside of them is touched.
    """
    text = spec.strip()
    module_name, separator, path = text.rpartition(":")
    if not separator:
        raise ValueError(f"Invalid entry point {text!r}: expected 'module:attr' or 'module:nested.attr'")
    if not module_name or not path:
        raise ValueError(f"Invalid entry point {text!r}: empty module or attribute")
    allowed = allowed_packages() if packages is None else packages
    if allowed is not None and not any(_is_in(module_name, package) for package in allowed):
        raise ValueError(f"Entry point {text!r} is not in the packages of {PACKAGES_VARIABLE}")
    try:
        found: Any = import_module(module_name)
    except ImportError as error:
        raise ValueError(f"Cannot import module {module_name!r} for entry point {text!r}") from error
    for part in path.split("."):
        found = getattr(found, part)
    if not callable(found):
        raise TypeError(f"Entry point {text!r} does not resolve to a callable (got {type(found).__name__})")
    function: Callable[..., Any] = found
    return function


def _is_in(module_name: str, package: str) -> bool:
    return module_name == package or module_name.startswith(f"{package}.")
