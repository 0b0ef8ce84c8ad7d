"""Settings of workers: arguments, else the environment, else `spikard.toml`, else the defaults."""

import os
import socket
from dataclasses import dataclass, field, fields
from typing import Any

from spikard.fsm.schedulers.restoring import check_policy
from spikard.fsm.settings import application_database, number, setting, tell_unknown

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
        tell_unknown("worker", [each.name for each in fields(self)])
        for each in fields(self):
            if each.type is int:
                setattr(self, each.name, int(getattr(self, each.name)))
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


def _setting(name: str, kind: type, default: Any) -> Any:
    found = setting(name, "worker", prefix="worker_", former=(f"worker_{name}", "worker"))
    if found is None:
        return default()
    if kind is not bool:
        return number(found, kind)
    text = str(found.value).lower()
    if text not in _TRUE | _FALSE:
        raise ValueError(f"{found.place} must be of type bool, not {found.value!r}")
    return text in _TRUE
