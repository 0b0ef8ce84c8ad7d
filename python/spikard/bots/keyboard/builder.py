"""Buttons under messages."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle
from typing import Any, Self

import msgspec

from spikard.bots.enums import ButtonStyle


class InlineKeyboardButton:
    """One button: it sends `callback_data` to the bot, or opens `url`.

    `callback_data` may be an object that packs itself. A button that does neither has to say so with `noop=True`.
    """

    __slots__ = ("callback_data", "noop", "style", "text", "url")

    def __init__(
        self,
        text: str,
        callback_data: Any = None,
        url: str | None = None,
        style: str = ButtonStyle.PRIMARY,
        *,
        noop: bool = False,
    ) -> None:
        if callback_data is not None and url is not None:
            raise ValueError(f"The button {text!r} has both callback_data and url: the server would ignore the former")
        if callback_data is None and url is None and not noop:
            raise ValueError(f"The button {text!r} does nothing: give callback_data or url, or noop=True")
        self.text = str(text)
        self.callback_data = _packed(callback_data)
        self.url = url
        self.style = str(style)
        self.noop = noop

    def to_dict(self) -> dict[str, str]:
        """The button as the server takes it."""
        fields = {"text": self.text, "callbackData": self.callback_data, "url": self.url, "style": self.style or None}
        return {name: value for name, value in fields.items() if value is not None}

    @classmethod
    def from_dict(cls, button: Mapping[str, Any]) -> Self:
        """A button that the server has sent, or that `to_dict` has made."""
        url = button.get("url")
        data = button.get("callbackData", button.get("callback_data"))
        return cls(
            text=button.get("text", ""),
            # Both may come from the server, where the url wins.
            callback_data=None if url is not None else data,
            url=url,
            style=button.get("style") or "",
            noop=True,
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, InlineKeyboardButton) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash(tuple(self.to_dict().items()))

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in self.to_dict().items())
        return f"InlineKeyboardButton({fields})"


class InlineKeyboardBuilder:
    """Rows of buttons, put together step by step.

    `button` and `add` collect buttons; `adjust` lays the collected ones out in rows; `row` adds a row as it is.
    """

    def __init__(self) -> None:
        self._rows: list[list[InlineKeyboardButton]] = []
        self._loose: list[InlineKeyboardButton] = []

    def button(
        self,
        text: str,
        callback_data: Any = None,
        url: str | None = None,
        style: str = ButtonStyle.PRIMARY,
        *,
        noop: bool = False,
    ) -> Self:
        """Collects a new button."""
        return self.add(InlineKeyboardButton(text, callback_data, url, style, noop=noop))

    def add(self, *buttons: InlineKeyboardButton) -> Self:
        """Collects buttons."""
        self._loose += buttons
        return self

    def row(self, *buttons: InlineKeyboardButton, width: int | None = None) -> Self:
        """Adds a row, or rows of `width` buttons at most."""
        if width is None:
            self._rows.append(list(buttons))
        else:
            _check_sizes([width])
            self._rows += _chunks(buttons, [width], repeat=True)
        return self

    def adjust(self, *sizes: int, repeat: bool = True) -> Self:
        """Lays out the collected buttons in rows of these sizes, again and again: `adjust(2, 1)` is 2, 1, 2, 1.

        With `repeat=False` all further rows have the last size.
        """
        chosen = sizes or (1,)
        _check_sizes(chosen)
        self._rows += _chunks(self._loose, chosen, repeat)
        self._loose = []
        return self

    def attach(self, other: "InlineKeyboardBuilder") -> Self:
        """Adds the rows of another builder below."""
        if self.has_loose:
            self.adjust(1)
        self._rows += other.export()
        return self

    @property
    def has_loose(self) -> bool:
        """Whether there are collected buttons that were not laid out."""
        return bool(self._loose)

    def copy(self) -> "InlineKeyboardBuilder":
        """A builder with the same buttons; what is added to one is not in the other."""
        new = type(self)()
        new._rows = [list(row) for row in self._rows]
        new._loose = list(self._loose)
        return new

    def export(self) -> list[list[InlineKeyboardButton]]:
        """All rows; buttons that were not laid out have one each."""
        return [*(list(row) for row in self._rows), *([button] for button in self._loose)]

    def as_markup(self) -> list[list[dict[str, str]]]:
        """Rows as the server takes them."""
        return [[button.to_dict() for button in row] for row in self.export()]

    def as_json(self) -> str:
        """`as_markup` as JSON."""
        return msgspec.json.encode(self.as_markup()).decode()

    @classmethod
    def from_markup(cls, rows: Iterable[Iterable[Mapping[str, Any] | InlineKeyboardButton]]) -> Self:
        """A builder from rows that `as_markup` has made or the server has sent."""
        new = cls()
        for row in rows:
            new.row(
                *(
                    button if isinstance(button, InlineKeyboardButton) else InlineKeyboardButton.from_dict(button)
                    for button in row
                )
            )
        return new

    def __len__(self) -> int:
        return len(self._loose) + sum(len(row) for row in self._rows)

    def __bool__(self) -> bool:
        # A builder is a builder, even when it has no buttons yet.
        return True

    def __repr__(self) -> str:
        return f"InlineKeyboardBuilder({[len(row) for row in self.export()]})"


def _packed(data: Any) -> str | None:
    pack = getattr(data, "pack", None)
    if pack is not None:
        data = pack()
    return None if data is None else str(data)


def _check_sizes(sizes: Sequence[int]) -> None:
    for size in sizes:
        if size < 1:
            raise ValueError(f"A row has at least one button, not {size}")


def _chunks(
    buttons: Sequence[InlineKeyboardButton], sizes: Sequence[int], repeat: bool
) -> Iterable[list[InlineKeyboardButton]]:
    widths = cycle(sizes if repeat else sizes[-1:])
    first = iter(() if repeat else sizes)
    at = 0
    while at < len(buttons):
        size = next(first, 0) or next(widths)
        yield list(buttons[at : at + size])
        at += size


__all__ = ["InlineKeyboardBuilder", "InlineKeyboardButton"]
