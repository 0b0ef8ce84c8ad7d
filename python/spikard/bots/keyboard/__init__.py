"""Buttons under messages.

- `builder`: rows of buttons, step by step
- `paginator`: long lists page by page
- `pages`: the handler of their arrows
"""

from typing import TYPE_CHECKING

from spikard.bots.enums import ButtonStyle
from spikard.bots.keyboard.builder import InlineKeyboardBuilder, InlineKeyboardButton
from spikard.bots.keyboard.paginator import PaginationCB, Paginator
from spikard.late_names import late_names

if TYPE_CHECKING:
    from spikard.bots.keyboard.pages import paginator_router

if not TYPE_CHECKING:  # routers come with all that dispatches
    __getattr__ = late_names(__name__, {"paginator_router": "pages"})


__all__ = [
    "ButtonStyle",
    "InlineKeyboardBuilder",
    "InlineKeyboardButton",
    "PaginationCB",
    "Paginator",
    "paginator_router",
]
