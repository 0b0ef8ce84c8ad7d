"""What goes wrong with dead letters."""

from typing import Any

from spikard.errors import SpikardError


class DLQError(SpikardError):
    """The root of what dead letters raise."""


class RecordNotFoundError(DLQError):
    """No dead letter of this id is kept."""

    def __init__(self, record_id: str) -> None:
        super().__init__(f"DLQ record not found: {record_id}")
        self.record_id = record_id

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.record_id,)


class StoreError(DLQError):
    """A store cannot go on; `backend` says which, `detail` why."""

    def __init__(self, backend: str, detail: str) -> None:
        super().__init__(f"DLQ store error ({backend}): {detail}")
        self.backend = backend
        self.detail = detail

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.backend, self.detail)


class ConfigError(DLQError):
    """The configuration cannot be used."""
