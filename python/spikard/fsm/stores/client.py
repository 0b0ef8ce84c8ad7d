"""Stores that have to be connected."""

from types import TracebackType
from typing import Any, Self


class StateStoreClient:
    """A store behind a URL, connected before it is used; a context manager does both ends."""

    def __init__(self, connection_string: str | None = None) -> None:
        self.connection_string = connection_string

    def connect(self, *arguments: Any, **options: Any) -> None:
        """Make ready."""
        raise NotImplementedError("Subclasses must implement connect()")

    def disconnect(self) -> None:
        """Let go of all connections; a store that has none need not say so."""

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.disconnect()
