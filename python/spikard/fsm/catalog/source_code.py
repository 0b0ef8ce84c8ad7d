"""Functions that are kept as text."""

from collections.abc import Callable
from typing import Any

from spikard.fsm.code_namespace import build_namespace
from spikard.fsm.features import get_allow_inline_code_imports


def resolve_source_code_callable(name: str, source_code: str) -> Callable[..., Any]:
    """The function of the name that the source defines. Its body does not run here, the definitions around it do."""
    namespace = build_namespace({}, imports=True)
    del namespace["ctx"]
    if not get_allow_inline_code_imports():
        del namespace["__builtins__"]["__import__"]
    exec(compile(source_code, f"<registry_catalog:{name}>", "exec"), namespace)  # noqa: S102 - off unless switched on
    found = namespace.get(name)
    if not callable(found):
        raise TypeError(f"Catalog source_code for {name!r} must define callable {name!r}")
    function: Callable[..., Any] = found
    return function
