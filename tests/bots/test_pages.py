"""Pages that are turned by a ready router."""

from typing import Any

from spikard.bots import Dispatcher
from spikard.bots.filters import Command
from spikard.bots.keyboard import InlineKeyboardBuilder, Paginator, paginator_router
from spikard.bots.testing import BotTester
from spikard.bots.types import Contact, Message

FRUIT = ["apple", "pear", "plum", "fig", "kiwi"]


def render(page: int) -> tuple[str, InlineKeyboardBuilder]:
    pages = Paginator(FRUIT, per_page=2, current_page=page, name="fruit")
    keyboard = InlineKeyboardBuilder()
    pages.add_nav_row(keyboard)
    return ", ".join(pages.page_data), keyboard


def dispatcher(shown: Any = render) -> Dispatcher:
    dp = Dispatcher()
    dp.include_router(paginator_router("fruit", shown))

    @dp.message(Command("list"))
    async def show(message: Message) -> None:
        text, keyboard = render(0)
        await message.answer(text, inline_keyboard_markup=keyboard)

    return dp


async def test_arrows_turn_pages() -> None:
    t = BotTester(dispatcher())
    ann = t.user("ann@corp")
    await ann.send("/list")
    assert (ann.last.text, ann.last.buttons) == ("apple, pear", [["1/3", "▶"]])
    await ann.click("▶")
    assert (ann.last.text, ann.last.buttons) == ("plum, fig", [["◀", "2/3", "▶"]])
    await ann.click("▶")
    assert ann.last.text == "kiwi"
    await ann.click("◀")
    assert ann.last.text == "plum, fig"
    assert len(ann.messages) == 1


async def test_the_page_that_is_there_is_not_sent_again() -> None:
    t = BotTester(dispatcher())
    ann = t.user("ann@corp")
    await ann.send("/list")
    before = len(t.calls)
    await ann.click("1/3")
    assert [call.method for call in t.calls[before:]] == ["messages/answerCallbackQuery"]


async def test_pages_may_ask_for_more_and_take_their_time() -> None:
    async def own(page: int, from_user: Contact) -> tuple[str, InlineKeyboardBuilder]:
        text, keyboard = render(page)
        return f"{from_user.user_id}: {text}", keyboard

    ann = BotTester(dispatcher(own)).user("ann@corp")
    await ann.send("/list")
    await ann.click("▶")
    assert ann.last.text == "ann@corp: plum, fig"
