"""Dead letters as configured."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from typing import Any, Literal, Self, cast, get_args, get_origin

import msgspec

from spikard.fsm.dead_letters.file import FileDeadLetterStore
from spikard.fsm.dead_letters.memory import InMemoryDeadLetterStore
from spikard.fsm.dead_letters.protocol import DeadLetterStore
from spikard.fsm.retry_policy import BackoffStrategy


class UnknownSettingError(ValueError, TypeError):
    """A setting that there is not: as a value wrong data, as an argument a wrong call."""


class Settings:
    """What the settings below can do: check themselves, come out of plain data, and become such."""

    def __new__(cls, *_: Any, **settings: Any) -> Self:
        """Before the settings are taken over: no name that is none."""
        unknown = sorted(settings.keys() - {field.name for field in fields(cast("Any", cls))})
        if unknown:
            raise UnknownSettingError(f"{cls.__name__} has no {', '.join(map(repr, unknown))}")
        return super().__new__(cls)

    def __post_init__(self) -> None:
        for each in fields(cast("Any", self)):
            given = getattr(self, each.name)
            kind: Any = each.type
            try:
                if is_dataclass(kind) and isinstance(given, Mapping):
                    value = cast("type[Settings]", kind).model_validate(given)
                else:
                    value = msgspec.convert(given, kind, strict=False)
            except msgspec.ValidationError as error:
                is_choice = get_origin(kind) is Literal
                why = f"must be one of {', '.join(get_args(kind))}" if is_choice else f"does not fit ({error})"
                raise ValueError(f"{each.name} of {type(self).__name__} {why}, got {given!r}") from None
            setattr(self, each.name, value)

    @classmethod
    def model_validate(cls, settings: Mapping[str, Any]) -> Self:
        """Settings out of plain data."""
        return cls(**settings)

    def model_dump(self, *, mode: Literal["python", "json"] = "python", exclude_none: bool = False) -> dict[str, Any]:
        """The settings as plain data, in `json` without any enumerations."""
        found = asdict(cast("Any", self))
        if mode == "json":
            found = msgspec.to_builtins(found)
        return _given(found) if exclude_none else found

    def model_dump_json(self, *, indent: int | None = None, exclude_none: bool = False) -> str:
        """The settings as JSON."""
        return json.dumps(self.model_dump(mode="json", exclude_none=exclude_none), indent=indent)

    def model_copy(self, *, update: Mapping[str, Any] | None = None) -> Self:
        """The settings anew, some of them with other values."""
        return cast("Self", replace(cast("Any", self), **(update or {})))


def _given(settings: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _given(value) if isinstance(value, dict) else value
        for name, value in settings.items()
        if value is not None
    }


@dataclass(kw_only=True)
class RetryConfig(Settings):
    """Whether and how dead letters are tried again."""

    enabled: bool = False
    max_retries: int = 3
    backoff: BackoffStrategy = BackoffStrategy.EXPONENTIAL
    base_delay_seconds: float = 1.0
    max_delay_seconds: float = 300.0


@dataclass(kw_only=True)
class RetentionConfig(Settings):
    """For how long dead letters are kept."""

    ttl_seconds: int | None = None
    resolved_retention_seconds: int = 604800
    cleanup_interval_seconds: float = 3600.0


@dataclass(kw_only=True)
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
