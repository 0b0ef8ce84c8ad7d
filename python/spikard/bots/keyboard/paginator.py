"""Long lists page by page."""

from collections.abc import Sequence
from typing import Any, Generic, Protocol, Self, TypeVar

from spikard.bots.callback_data_factory import CallbackDataFactory
from spikard.bots.keyboard.builder import InlineKeyboardBuilder, InlineKeyboardButton

T = TypeVar("T")
Item_co = TypeVar("Item_co", covariant=True)


class PaginationCB(CallbackDataFactory, prefix="pag"):
    """A press of an arrow: which list, and which page, from 0 on."""

    name: str
    page: int


class Source(Protocol[Item_co]):
    """A list that is fetched in pieces."""

    async def count(self) -> int:
        """How many there are."""

    async def fetch(self, offset: int, limit: int) -> Sequence[Item_co]:
        """Some of them."""


class Paginator(Generic[T]):
    """One page of a list, and the buttons that lead to others.

    Args:
        data: The list; or a source, whose page is there after `await paginator.load()`.
        per_page: How many are on a page, at least one.
        current_page: Which page, from 0 on.
        name: Tells lists apart in callback data.
    """

    PREVIOUS = "◀"
    NEXT = "▶"

    def __init__(
        self, data: "Sequence[T] | Source[T]", per_page: int = 5, current_page: int = 0, name: str = "page"
    ) -> None:
        self.data = data
        self.per_page = max(per_page, 1)
        self.current_page = max(current_page, 0)
        self.name = name
        self._loaded: tuple[int, Sequence[T]] | None = None
        if isinstance(data, Sequence):
            self._loaded = len(data), data[self.offset : self.offset + self.per_page]

    async def load(self) -> Self:
        """Fetches the page from a source; gives the paginator itself."""
        if not isinstance(self.data, Sequence):
            count = await self.data.count()
            self._loaded = count, await self.data.fetch(self.offset, self.per_page)
        return self

    @property
    def total_pages(self) -> int:
        """How many pages there are; at least one."""
        return max(-(-self._page()[0] // self.per_page), 1)

    @property
    def offset(self) -> int:
        """How many are on the pages before."""
        return self.current_page * self.per_page

    @property
    def page_data(self) -> Sequence[T]:
        """What is on the page."""
        return self._page()[1]

    @property
    def has_prev(self) -> bool:
        """Whether there is a page before."""
        return self.current_page > 0

    @property
    def has_next(self) -> bool:
        """Whether there is a page after."""
        return self.current_page < self.total_pages - 1

    def nav_buttons(self) -> list[InlineKeyboardButton]:
        """Arrows, and between them where we are; none if there is one page."""
        if self.total_pages == 1:
            return []
        here = f"{self.current_page + 1}/{self.total_pages}"
        buttons = [self._button(here, self.current_page)]
        if self.has_prev:
            buttons.insert(0, self._button(self.PREVIOUS, min(self.current_page, self.total_pages) - 1))
        if self.has_next:
            buttons.append(self._button(self.NEXT, self.current_page + 1))
        return buttons

    def add_nav_row(self, builder: InlineKeyboardBuilder) -> InlineKeyboardBuilder:
        """Adds the buttons as a row, below those that were collected; gives the builder."""
        buttons = self.nav_buttons()
        if not buttons:
            return builder
        if builder.has_loose:
            builder.adjust(1)
        return builder.row(*buttons)

    def _button(self, text: str, page: int) -> InlineKeyboardButton:
        return InlineKeyboardButton(text, PaginationCB(name=self.name, page=page))

    def _page(self) -> tuple[int, Sequence[Any]]:
        if self._loaded is None:
            raise RuntimeError("The page is not fetched yet: await paginator.load() first")
        return self._loaded


__all__ = ["PaginationCB", "Paginator", "Source"]
