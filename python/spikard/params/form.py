"""Parameters from the fields of a form."""

from typing import ClassVar

from spikard.params.marker import Marker


class Form(Marker):
    """A field of an urlencoded or multipart body."""

    source: ClassVar[str] = "form"


__all__ = ["Form"]
