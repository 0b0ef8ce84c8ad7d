"""Buttons under messages.

- `builder`: rows of buttons, step by step
- `paginator`: long lists page by page
- `pages`: the handler of their arrows
"""

from typing import TYPE_CHECKING, Any

from spikard.bots.enums import ButtonStyle
from spikard.bots.keyboard.builder import InlineKeyboardBuilder, InlineKeyboardButton
from spikard.bots.keyboard.paginator import PaginationCB, Paginator

if TYPE_CHECKING:
    from spikard.bots.keyboard.pages import paginator_router

if not TYPE_CHECKING:  # routers come with all that dispatches

    def __getattr__(name: str) -> Any:
        if name == "paginator_router":
            from spikard.bots.keyboard.pages import paginator_router

            return paginator_router
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "ButtonStyle",
    "InlineKeyboardBuilder",
    "InlineKeyboardButton",
    "PaginationCB",
    "Paginator",
    "paginator_router",
]
