"""The application that module-level decorators register on."""

from contextvars import ContextVar, Token
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spikard.routing.router import Router

_last_built: "list[Router | None]" = [None]
_entered: "ContextVar[Router | None]" = ContextVar("current_application", default=None)


def current() -> "Router | None":
    """The application of this context, else the one built last."""
    return _entered.get() or _last_built[0]


def set_current(router: "Router | None") -> None:
    """Make an application the one decorators use where no context says otherwise."""
    _last_built[0] = router


def enter(router: "Router") -> "Token[Router | None]":
    """Make an application the current one of this context, until `leave`."""
    return _entered.set(router)


def leave(token: "Token[Router | None]") -> None:
    """Undo `enter`; in another context than the one entered, only what is visible there."""
    try:
        _entered.reset(token)
    except ValueError:
        # Test runners may enter and leave a fixture in different contexts.
        _entered.set(None)
