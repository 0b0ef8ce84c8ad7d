"""Buttons under messages.

- `builder`: rows of buttons, step by step
- `paginator`: long lists page by page
"""

from spikard.bots.enums import ButtonStyle
from spikard.bots.keyboard.builder import InlineKeyboardBuilder, InlineKeyboardButton
from spikard.bots.keyboard.paginator import PaginationCB, Paginator

__all__ = ["ButtonStyle", "InlineKeyboardBuilder", "InlineKeyboardButton", "PaginationCB", "Paginator"]
