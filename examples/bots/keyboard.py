"""Buttons: a list in pages, details of what was chosen, and data that buttons carry."""

import logging

from spikard.bots import Bot, Dispatcher, Router
from spikard.bots.filters import CallbackDataFactory, Command
from spikard.bots.keyboard import InlineKeyboardBuilder, Paginator, paginator_router
from spikard.bots.types import CallbackQuery, Message

TEAS = {1: "Assam", 2: "Ceylon", 3: "Darjeeling", 4: "Keemun", 5: "Sencha"}
router = Router()


class Buy(CallbackDataFactory, prefix="buy"):
    tea: int
    grams: int


def shelf(page: int) -> tuple[str, InlineKeyboardBuilder]:
    """One page of the list: its text and its buttons."""
    pages = Paginator(list(TEAS), per_page=2, current_page=page, name="teas")
    keyboard = InlineKeyboardBuilder()
    for number in pages.page_data:
        keyboard.button(TEAS[number], Buy(tea=number, grams=100))
    pages.add_nav_row(keyboard)
    return "Which tea?", keyboard


@router.message(Command("teas"))
async def show(message: Message) -> None:
    text, keyboard = shelf(page=0)
    await message.answer(text, inline_keyboard_markup=keyboard)


@router.callback_query(Buy.filter())
async def buy(query: CallbackQuery, callback_data: Buy) -> None:
    tea = TEAS[callback_data.tea]
    await query.answer(f"{tea} is in the basket")
    keyboard = InlineKeyboardBuilder()
    keyboard.button("100 g more", Buy(tea=callback_data.tea, grams=callback_data.grams + 100))
    await query.edit_text(f"{callback_data.grams} g of {tea}", inline_keyboard_markup=keyboard)


dp = Dispatcher()
dp.include_routers(router, paginator_router("teas", shelf))

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    dp.run(Bot())
