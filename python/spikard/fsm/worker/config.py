"""Settings of workers: arguments, else the environment, else `spikard.toml`, else the defaults."""

import os
import socket
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spikard.fsm.former_settings import former_setting
from spikard.fsm.schedulers.restoring import check_policy

PREFIX = "SPIKARD_FSM_WORKER_"
FILE = "spikard.toml"
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})


def _worker_id() -> str:
    made: str = _setting("worker_id", str, lambda: f"{socket.gethostname()}-{os.getpid()}-{os.urandom(4).hex()}")
    return made


def _given(name: str, kind: type, default: Any) -> Any:
    return field(default_factory=lambda: _setting(name, kind, lambda: default))


@dataclass
class WorkerConfig:
    """How a worker works. Every setting may be given as `SPIKARD_FSM_WORKER_<NAME>` or in `[fsm.worker]`, too."""

    db_url: str | None = _given("db_url", str, None)
    poll_interval_ms: int = _given("poll_interval_ms", int, 500)
    concurrency: int = _given("concurrency", int, 5)
    apply_data_poll_interval_ms: int = _given("apply_data_poll_interval_ms", int, 250)
    apply_data_concurrency: int = _given("apply_data_concurrency", int, 5)
    drain_timeout_s: int = _given("drain_timeout_s", int, 30)
    max_attempts: int = _given("max_attempts", int, 5)
    apply_data_max_attempts: int = _given("apply_data_max_attempts", int, 5)
    machine_source: str = _given("machine_source", str, "db")
    machine_dir: str | None = _given("machine_dir", str, None)
    worker_id: str = field(default_factory=_worker_id)
    claim_lease_timeout_s: int = _given("claim_lease_timeout_s", int, 300)
    retry_backoff_base_ms: int = _given("retry_backoff_base_ms", int, 1000)
    retry_backoff_max_ms: int = _given("retry_backoff_max_ms", int, 300000)
    dlq_enabled: bool = _given("dlq_enabled", bool, True)
    dlq_database_url: str | None = _given("dlq_database_url", str, None)
    dlq_table_name: str = _given("dlq_table_name", str, "dead_letter_queue")
    batch_size: int = _given("batch_size", int, 50)
    notify: bool = _given("notify", bool, True)
    timers: str = _given("timers", str, "resume")

    def __post_init__(self) -> None:
        for name in ("concurrency", "apply_data_concurrency", "claim_lease_timeout_s", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        check_policy(self.timers)
        if self.machine_source not in ("db", "yaml"):
            raise ValueError(f"machine_source must be 'db' or 'yaml', got {self.machine_source!r}")

    def resolve_db_url(self) -> str:
        """The database of the events, by default that of the application."""
        return self.db_url or application_database()

    def resolve_dlq_database_url(self) -> str:
        """The database of the dead letters, by default that of the events."""
        return self.dlq_database_url or self.resolve_db_url()


def application_database() -> str:
    """`SPIKARD_FSM_DATABASE_URL`, else `database_url` of `[fsm]`, else a file in the working directory."""
    named = os.environ.get("SPIKARD_FSM_DATABASE_URL") or _file().get("database_url")
    if not named and (former := former_setting("database_url", "database")) is not None:
        named = former[0]
    return str(named or f"sqlite:///{Path.cwd() / 'spikard_fsm.db'}")


def _setting(name: str, kind: type, default: Any) -> Any:
    variable = PREFIX + name.upper()
    text = os.environ.get(variable)
    if text:
        return _read(variable, text, kind)
    found = _file().get("worker", {}).get(name)
    if found is not None:
        return _read(f"[fsm.worker] {name}", found, kind)
    former = former_setting(f"worker_{name}", "worker")
    return default() if former is None else _read(former[1], former[0], kind)


def _read(place: str, value: Any, kind: type) -> Any:
    if kind is bool and str(value).lower() in _TRUE | _FALSE:
        return str(value).lower() in _TRUE
    if kind is not bool:
        try:
            return kind(value)
        except ValueError:
            pass
    raise ValueError(f"{place} must be of type {kind.__name__}, not {value!r}")


def _file() -> dict[str, Any]:
    try:
        found: dict[str, Any] = tomllib.loads(Path(FILE).read_text(encoding="utf-8")).get("fsm", {})
    except FileNotFoundError:
        return {}
    return found
