"""What is switched on: code in definitions, and where it runs. Environment before `spikard.toml` before the default."""

from typing import Literal

from spikard.fsm.settings import Setting, setting

Source = Literal["env", "cfg", "default"]

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})


def get_allow_inline_code_actions() -> bool:
    """Whether `code:` actions run at all."""
    return _flag("allow_inline_code_actions")[0]


def get_allow_inline_code_actions_source() -> Source:
    """Where that was decided."""
    return _flag("allow_inline_code_actions")[1]


def get_allow_inline_code_imports() -> bool:
    """Whether code in actions has builtins and may import from a list of modules."""
    return _flag("allow_inline_code_imports")[0]


def get_allow_inline_code_imports_source() -> Source:
    """Where that was decided."""
    return _flag("allow_inline_code_imports")[1]


def get_allow_catalog_code() -> bool:
    """Whether rows of the catalog may hold source code."""
    return _flag("allow_catalog_code")[0]


def get_allow_catalog_code_source() -> Source:
    """Where that was decided."""
    return _flag("allow_catalog_code")[1]


def get_code_isolation() -> Literal["process", "none"]:
    """Where code of actions runs: in a process of its own, or in this one."""
    found = _found("code_isolation")
    text = "process" if found is None else str(found.value).strip().lower()
    if found is not None and text not in {"process", "none"}:
        raise ValueError(f"{found.place} is {found.value!r}; it can be 'process' or 'none'")
    return "none" if text == "none" else "process"


def get_code_seconds() -> float:
    """Seconds of processor time that code of an action may take."""
    return _number("code_cpu_seconds", 5.0)


def get_code_megabytes() -> float:
    """Megabytes of memory that code of an action may take."""
    return _number("code_memory_mb", 512.0)


def get_http_allow_private() -> bool:
    """Whether `http` actions may call private addresses."""
    return _flag("http_allow_private")[0]


def _number(name: str, default: float) -> float:
    found = _found(name)
    if found is None:
        return default
    try:
        number = float(found.value)
    except (TypeError, ValueError):
        number = 0.0
    if number <= 0:
        raise ValueError(f"{found.place} is {found.value!r}; it must be a number above 0")
    return number


def _flag(name: str) -> tuple[bool, Source]:
    found = _found(name)
    if found is None:
        return False, "default"
    text = str(found.value).strip().lower()
    if text in _TRUE:
        return True, found.source
    if text in _FALSE:
        return False, found.source
    raise ValueError(f"{found.place} is {found.value!r}; it can be true or false")


def _found(name: str) -> Setting | None:
    former = (name, "features") if name.startswith("allow_") else None
    return setting(name, "features", former=former, may_be_empty=True)
