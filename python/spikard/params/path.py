"""Parameters from the path."""

from typing import ClassVar

from spikard.params.marker import Marker


class Path(Marker):
    """A part of the path; never optional."""

    source: ClassVar[str] = "path"


__all__ = ["Path"]
