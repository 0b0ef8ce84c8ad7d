"""What handling an update can come to, beside a value."""

from typing import Final, final


@final
class Unhandled:
    """The type of `UNHANDLED`."""

    def __repr__(self) -> str:
        return "UNHANDLED"

    def __bool__(self) -> bool:
        return False


UNHANDLED: Final = Unhandled()
"""Nobody took the update. A handler that returns it passes the update on to the next one."""


class SkipHandler(Exception):  # noqa: N818 - a public name
    """Raised in a handler: this update is not for it, ask the next one."""


class CancelHandler(Exception):  # noqa: N818 - a public name
    """Raised in a handler or in a middleware: the update is handled, nobody else gets it."""


__all__ = ["UNHANDLED", "CancelHandler", "SkipHandler", "Unhandled"]
