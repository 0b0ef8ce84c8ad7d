"""Turning the pages of a list, ready made."""

from collections.abc import Callable
from typing import Any

from spikard.bots.injection import call
from spikard.bots.keyboard.builder import InlineKeyboardBuilder
from spikard.bots.keyboard.paginator import PaginationCB
from spikard.bots.magic import F
from spikard.bots.router import Router
from spikard.bots.types.callback_query import CallbackQuery


def paginator_router(name: str, render: Callable[..., Any]) -> Router:
    """A router that shows another page when an arrow of a list is pressed.

    Args:
        name: The paginator's.
        render: Gives the text and the keyboard of a page, also as a coroutine. It is asked with `page`, from 0 on, and
            with whatever else it names, as handlers are.
    """
    router = Router(f"pages of {name}")

    @router.callback_query(PaginationCB.filter(F.name == name))
    async def turn(query: CallbackQuery, callback_data: PaginationCB, **data: Any) -> None:
        given = {**data, "query": query, "callback_data": callback_data, "page": callback_data.page}
        text, keyboard = await call(render, given)
        if query.message is None or _differs(query.message.text, query.message.markup, text, keyboard):
            await query.edit_text(text, inline_keyboard_markup=keyboard)

    return router


def _differs(shown: Any, buttons: InlineKeyboardBuilder, text: Any, keyboard: Any) -> bool:
    """Whether an edit would change anything: the button between the arrows leads to the page that is there."""
    rows = keyboard.as_markup() if isinstance(keyboard, InlineKeyboardBuilder) else keyboard
    return shown != text or buttons.as_markup() != rows


__all__ = ["paginator_router"]
