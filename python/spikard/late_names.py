"""Names of a package whose modules are loaded when somebody first asks for them: `__getattr__ = late_names(...)`."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def late_names(
    package: str, modules: Mapping[str, str], besides: Callable[[str], Any] | None = None
) -> Callable[[str], Any]:
    """What a package's `__getattr__` is.

    Args:
        package: Its name.
        modules: Names with their modules, relative to it; one that begins with `spikard.` is taken as it is.
        besides: Asked for all other names, instead of `AttributeError`.
    """

    def find(name: str) -> Any:
        module = modules.get(name)
        if module is not None:
            where = module if module.startswith("spikard.") else f"{package}.{module}"
            value = getattr(import_module(where), name)
            # Found the quick way from now on.
            setattr(sys.modules[package], name, value)
            return value
        if besides is not None:
            return besides(name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return find
