"""Parameters from cookies."""

from typing import ClassVar

from spikard.params.marker import Marker


class Cookie(Marker):
    """The value of a cookie."""

    source: ClassVar[str] = "cookie"


__all__ = ["Cookie"]
