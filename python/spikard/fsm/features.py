"""What is switched on: code in definitions, and where it runs. Environment before `spikard.toml` before the default."""

import os
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from spikard.fsm.former_settings import former_setting

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
    value, _ = _setting("code_isolation")
    text = "process" if value is None else str(value).strip().lower()
    if text not in {"process", "none"}:
        raise ValueError(f"SPIKARD_FSM_CODE_ISOLATION is {value!r}; it can be 'process' or 'none'")
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
    value, source = _setting(name)
    if value is None:
        return default
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = 0.0
    if number <= 0:
        raise ValueError(f"{_where(name, source)} is {value!r}; it must be a number above 0")
    return number


def _flag(name: str) -> tuple[bool, Source]:
    value, source = _setting(name)
    if value is None:
        return False, "default"
    text = str(value).strip().lower()
    if text in _TRUE:
        return True, source
    if text in _FALSE:
        return False, source
    raise ValueError(f"{_where(name, source)} is {value!r}; it can be true or false")


def _where(name: str, source: Source) -> str:
    return f"SPIKARD_FSM_{name.upper()}" if source == "env" else f"{name!r} in [fsm.features] of spikard.toml"


def _setting(name: str) -> tuple[Any, Source]:
    value = os.environ.get(f"SPIKARD_FSM_{name.upper()}")
    if value is not None:
        return value, "env"
    configured = _features().get(name)
    if configured is not None:
        return configured, "cfg"
    former = former_setting(name, "features") if name.startswith("allow_") else None
    if former is None:
        return None, "default"
    return former[0], "env" if former[1] == f"PYSTATOR_{name.upper()}" else "cfg"


def _features() -> dict[str, Any]:
    path = Path("spikard.toml")
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        return {}
    return _read_features(str(path.absolute()), changed)


@lru_cache(maxsize=4)
def _read_features(path: str, changed: int) -> dict[str, Any]:  # noqa: ARG001 - a changed file is read anew
    features = tomllib.loads(Path(path).read_text("utf-8")).get("fsm", {}).get("features", {})
    return features if isinstance(features, dict) else {}
