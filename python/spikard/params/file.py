"""Uploaded files."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Unpack

from spikard.params.constraints import MarkerKeywords
from spikard.params.marker import Marker
from spikard.params.missing import MISSING


class File(Marker):
    """A file of a multipart body; `max_size` is bytes."""

    source: ClassVar[str] = "file"
    content_types: tuple[str, ...] | None
    max_size: int | None
    validate_magic_numbers: bool

    def __new__(
        cls,
        default: Any = MISSING,
        *,
        default_factory: Callable[[], Any] | None = None,
        content_types: Sequence[str] | None = None,
        max_size: int | None = None,
        validate_magic_numbers: bool = False,
        **keywords: Unpack[MarkerKeywords],
    ) -> Any:
        marker = super().__new__(cls, default, default_factory=default_factory, **keywords)
        if isinstance(content_types, str):
            content_types = (content_types,)
        if max_size is not None and max_size < 1:
            raise ValueError(f"File: max_size must be at least 1 byte, not {max_size!r}")
        marker.content_types = tuple(content_types) if content_types is not None else None
        marker.max_size = max_size
        marker.validate_magic_numbers = validate_magic_numbers
        return marker

    def demands(self) -> dict[str, Any]:
        """What is demanded of the file, in the form of `file_params`."""
        demands: dict[str, Any] = {}
        if self.content_types is not None:
            demands["content_type"] = list(self.content_types)
        if self.max_size is not None:
            demands["max_size"] = self.max_size
        if self.validate_magic_numbers:
            demands["validate_magic_numbers"] = True
        return demands


__all__ = ["File"]
