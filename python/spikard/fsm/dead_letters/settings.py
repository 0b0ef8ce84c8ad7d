"""Dead letters as configured."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, Self, cast

from spikard.fsm.dead_letters.file import FileDeadLetterStore
from spikard.fsm.dead_letters.memory import InMemoryDeadLetterStore
from spikard.fsm.dead_letters.protocol import DeadLetterStore
from spikard.fsm.retry_policy import BackoffStrategy

BACKENDS = ("memory", "database", "file")


class Settings:
    """What the settings below can do: come out of plain data, and become such."""

    @classmethod
    def model_validate(cls, settings: Mapping[str, Any]) -> Self:
        """Settings out of plain data."""
        unknown = sorted(settings.keys() - {field.name for field in fields(cast("Any", cls))})
        if unknown:
            raise ValueError(f"{cls.__name__} has no {', '.join(map(repr, unknown))}")
        return cls(**settings)

    def model_dump(self) -> dict[str, Any]:
        """The settings as plain data."""
        return asdict(cast("Any", self))


@dataclass(frozen=True, kw_only=True)
class RetryConfig(Settings):
    """Whether and how dead letters are tried again."""

    enabled: bool = False
    max_retries: int = 3
    backoff: BackoffStrategy = BackoffStrategy.EXPONENTIAL
    base_delay_seconds: float = 1.0
    max_delay_seconds: float = 300.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "backoff", BackoffStrategy(self.backoff))


@dataclass(frozen=True, kw_only=True)
class RetentionConfig(Settings):
    """For how long dead letters are kept."""

    ttl_seconds: int | None = None
    resolved_retention_seconds: int = 604800
    cleanup_interval_seconds: float = 3600.0


@dataclass(frozen=True, kw_only=True)
class DLQConfig(Settings):
    """Where dead letters are kept, and what becomes of them."""

    enabled: bool = True
    backend: Literal["memory", "database", "file"] = "memory"
    database_url: str | None = None
    table_name: str = "dead_letter_queue"
    schema_name: str | None = None
    storage_path: str | None = None
    max_memory_size: int = 10000
    retry: RetryConfig = field(default_factory=RetryConfig)
    retention: RetentionConfig = field(default_factory=RetentionConfig)

    def __post_init__(self) -> None:
        if self.backend not in BACKENDS:
            raise ValueError(f"backend of dead letters must be one of {', '.join(BACKENDS)}, got {self.backend!r}")
        if isinstance(self.retry, Mapping):
            object.__setattr__(self, "retry", RetryConfig.model_validate(self.retry))
        if isinstance(self.retention, Mapping):
            object.__setattr__(self, "retention", RetentionConfig.model_validate(self.retention))


def create_store(config: DLQConfig) -> DeadLetterStore:
    """The store that a configuration asks for."""
    if config.backend == "file":
        if not config.storage_path:
            raise ValueError("storage_path is required for the file backend")
        return FileDeadLetterStore(config.storage_path)
    if config.backend == "database":
        if not config.database_url:
            raise ValueError("database_url is required for the database backend")
        from spikard.fsm.dead_letters.database import DatabaseDeadLetterStore

        return DatabaseDeadLetterStore(config.database_url, config.table_name, config.schema_name)
    return InMemoryDeadLetterStore(config.max_memory_size)
