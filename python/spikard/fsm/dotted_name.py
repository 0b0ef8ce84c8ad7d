"""Objects by the names of their places."""

from importlib import import_module
from typing import Any


def import_dotted(path: str) -> Any | None:
    """The object at `module.attribute` or `module:attribute`, or None where there is none."""
    separator = ":" if ":" in path else "."
    module_name, _, attribute = path.rpartition(separator)
    if not module_name:
        return None
    try:
        found: Any = import_module(module_name)
    except ImportError:
        return None
    for part in attribute.split("."):
        found = getattr(found, part, None)
    return found
