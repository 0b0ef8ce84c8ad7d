"""What buttons send back, as objects, and lists page by page."""

from datetime import date
from decimal import Decimal
from enum import Enum, IntEnum
from types import SimpleNamespace
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikard.bots.callback_data_factory import CallbackDataFactory, signing_key
from spikard.bots.keyboard import InlineKeyboardBuilder, PaginationCB, Paginator


class Buy(CallbackDataFactory, prefix="buy"):
    action: str
    id: int


class Piped(CallbackDataFactory, prefix="x", sep="|"):
    a: str | None
    b: int = 0


class Colour(Enum):
    RED = "r:d"


class Level(IntEnum):
    HIGH = 2


class Everything(CallbackDataFactory, prefix="all"):
    word: str
    number: int
    flag: bool
    colour: Colour
    level: Level
    price: Decimal
    ratio: float
    day: date
    key: UUID
    note: str | None = None


class Short(CallbackDataFactory, prefix="s", max_bytes=8):
    word: str


class Signed(CallbackDataFactory, prefix="g", signed=True):
    id: int


def test_pack_and_unpack() -> None:
    assert Buy(action="add", id=42).pack() == str(Buy(action="add", id=42)) == "buy:add:42"
    assert Buy.unpack("buy:add:42") == Buy(action="add", id=42)
    assert Piped(a="f", b=3).pack() == "x|f|3"
    assert Piped.unpack("x||5") == Piped(a=None, b=5)
    assert (Buy.__callback_prefix__, Buy.__callback_sep__) == ("buy", ":")


@settings(deadline=None)
@given(st.text(), st.integers(), st.booleans(), st.none() | st.text(min_size=1), st.uuids(), st.dates())
def test_all_kinds_of_values_come_back(
    word: str, number: int, flag: bool, note: str | None, key: UUID, day: date
) -> None:
    made = Everything(
        word=word,
        number=number % 2**63,
        flag=flag,
        colour=Colour.RED,
        level=Level.HIGH,
        price=Decimal("1.50"),
        ratio=0.1,
        day=day,
        key=key,
        note=note,
    )
    assert Everything.unpack(made.pack()) == made


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("other:a:1", "Invalid prefix"),
        ("buy:a", "expected 2 values, got 1"),
        ("buy:a:1:2", "expected 2 values, got 3"),
        ("buy:a:b", r"Buy\.id"),
        ("", "Invalid prefix"),
    ],
)
def test_texts_that_were_not_packed(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Buy.unpack(text)


def test_faults_of_a_class_appear_where_it_is_made() -> None:
    with pytest.raises(TypeError, match="must define a prefix"):

        class _Nameless(CallbackDataFactory):
            pass

    with pytest.raises(TypeError, match="one character"):

        class _Long(CallbackDataFactory, prefix="p", sep="::"):
            pass

    with pytest.raises(TypeError, match="the prefix"):

        class _Inside(CallbackDataFactory, prefix="p:q"):
            pass


def test_length_counts_in_bytes() -> None:
    assert Short(word="яя").pack() == "s:яя"
    with pytest.raises(ValueError, match="10 bytes"):
        Short(word="яяяя").pack()


def test_nobody_makes_up_signed_buttons() -> None:
    with pytest.raises(RuntimeError, match="key"):
        Signed(id=1).pack()
    token = signing_key.set(b"secret")
    try:
        packed = Signed(id=1).pack()
        assert len(packed) == len("g:1:") + 8
        assert Signed.unpack(packed) == Signed(id=1)
        for text in (packed.replace("1", "2", 1), "g:1", packed[:-1]):
            with pytest.raises(ValueError, match="signature"):
                Signed.unpack(text)
    finally:
        signing_key.reset(token)


async def test_filters() -> None:
    rule = Buy.filter(lambda found: found.action == "add")
    press = SimpleNamespace(callback_data="buy:add:42")
    assert await rule(press) == {"callback_data": Buy(action="add", id=42)}
    for data in ("buy:drop:42", "buy:add", "x", None):
        assert await rule(SimpleNamespace(callback_data=data)) is False
    assert await Buy.filter()(SimpleNamespace()) is False


class TestPaginator:
    def test_pages(self) -> None:
        page = Paginator(list(range(12)), per_page=5, current_page=2)
        assert (page.total_pages, page.offset, page.page_data) == (3, 10, [10, 11])
        assert (page.has_prev, page.has_next) == (True, False)
        assert Paginator([]).total_pages == 1
        assert Paginator([1, 2, 3], per_page=0).per_page == 1
        assert Paginator([1], current_page=-5).current_page == 0
        assert Paginator([1, 2, 3], 2, 99).page_data == []

    def test_buttons(self) -> None:
        assert Paginator([1]).nav_buttons() == []
        buttons = Paginator(list(range(15)), 5, 1, "list").nav_buttons()
        assert [button.text for button in buttons] == ["◀", "2/3", "▶"]
        assert [PaginationCB.unpack(button.callback_data or "").page for button in buttons] == [0, 1, 2]
        assert buttons[0].callback_data == "pag:list:0"
        assert [button.text for button in Paginator([1, 2], 1).nav_buttons()] == ["1/2", "▶"]

    def test_a_row_of_buttons(self) -> None:
        builder = InlineKeyboardBuilder().button("item", callback_data="i")
        assert Paginator([1]).add_nav_row(builder) is builder
        assert Paginator([1, 2], 1).add_nav_row(builder) is builder
        assert [len(row) for row in builder.as_markup()] == [1, 2]

    async def test_a_source_is_asked_for_its_page(self) -> None:
        class Numbers:
            async def count(self) -> int:
                return 7

            async def fetch(self, offset: int, limit: int) -> list[int]:
                return list(range(offset, min(offset + limit, 7)))

        page = Paginator(Numbers(), per_page=5, current_page=1)
        with pytest.raises(RuntimeError, match="load"):
            _ = page.page_data
        assert (await page.load()).page_data == [5, 6]
        assert page.total_pages == 2
