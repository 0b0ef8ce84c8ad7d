"""Rows of buttons."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikard.bots.enums import ButtonStyle
from spikard.bots.keyboard import InlineKeyboardBuilder, InlineKeyboardButton


def builder(count: int) -> InlineKeyboardBuilder:
    made = InlineKeyboardBuilder()
    for number in range(count):
        made.button(str(number), callback_data=f"b:{number}")
    return made


def widths(made: InlineKeyboardBuilder) -> list[int]:
    return [len(row) for row in made.as_markup()]


@pytest.mark.parametrize(
    ("count", "sizes", "repeat", "expected"),
    [
        (5, (2, 1), True, [2, 1, 2]),
        (5, (), True, [1, 1, 1, 1, 1]),
        (6, (1, 2), False, [1, 2, 2, 1]),
        (3, (5,), True, [3]),
        (0, (2,), True, []),
    ],
)
def test_adjust(count: int, sizes: tuple[int, ...], repeat: bool, expected: list[int]) -> None:
    assert widths(builder(count).adjust(*sizes, repeat=repeat)) == expected


@pytest.mark.parametrize("sizes", [(0,), (2, -1)])
def test_rows_have_buttons(sizes: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="at least one"):
        builder(3).adjust(*sizes)


def test_asking_for_the_markup_changes_nothing() -> None:
    made = builder(3)
    assert made.as_markup() == made.as_markup()
    assert widths(made) == [1, 1, 1]
    assert widths(made.adjust(2)) == [2, 1]
    assert json.loads(made.as_json()) == made.as_markup()


def test_copies_are_independent() -> None:
    made = builder(2).adjust(2)
    copy = made.copy().button("more", callback_data="more")
    assert (len(made), len(copy)) == (2, 3)


def test_rows_and_other_builders() -> None:
    buttons = [InlineKeyboardButton(str(number), url="https://x.example") for number in range(3)]
    made = builder(1).row(*buttons, width=2).attach(builder(2).adjust(2))
    assert widths(made) == [2, 1, 1, 2]
    assert widths(InlineKeyboardBuilder().row(*buttons)) == [3]


def test_a_button_does_one_thing() -> None:
    with pytest.raises(ValueError, match="both"):
        InlineKeyboardButton("x", callback_data="a", url="https://x.example")
    with pytest.raises(ValueError, match="noop"):
        InlineKeyboardButton("x")
    assert InlineKeyboardButton("x", noop=True).to_dict() == {"text": "x", "style": "primary"}


def test_what_packs_itself_is_callback_data() -> None:
    class Packed:
        def pack(self) -> str:
            return "packed"

    made = InlineKeyboardButton("x", Packed(), style=ButtonStyle.ATTENTION)
    assert made.to_dict() == {"text": "x", "callbackData": "packed", "style": "attention"}


def test_a_keyboard_of_the_server_goes_back_as_it_came() -> None:
    rows = [[{"text": "a", "callbackData": "1", "style": "base"}, {"text": "b", "url": "https://x.example"}]]
    assert InlineKeyboardBuilder.from_markup(rows).as_markup() == rows


@settings(deadline=None)
@given(st.integers(0, 40), st.lists(st.integers(1, 8), max_size=4), st.booleans())
def test_no_button_is_lost(count: int, sizes: list[int], repeat: bool) -> None:
    made = builder(count).adjust(*sizes, repeat=repeat)
    texts = [button["text"] for row in made.as_markup() for button in row]
    assert texts == [str(number) for number in range(count)]
    assert all(widths(made))
