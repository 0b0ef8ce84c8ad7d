"""Styles as ranges of a text, for those who would rather count than escape."""

from collections.abc import Iterator
from itertools import combinations, pairwise
from typing import Any, Self

import msgspec

from spikard.bots.text.nodes import utf16_length

# How the server calls the styles.
_NAMES = {"inline_code": "inlineCode", "ordered_list": "orderedList", "unordered_list": "unorderedList"}
_BLOCKS = frozenset({"ordered_list", "unordered_list", "quote"})
_EXCLUDING = [frozenset({"link", "mention"}), *map(frozenset, combinations(sorted(_BLOCKS), 2))]


class FormatBuilder:
    """Collects ranges and builds what `format_` takes.

    Offsets and lengths are in UTF-16 code units, as the server counts: characters beyond the first plane, most emoji
    among them, count twice. Methods that end in `_text` count by themselves.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._ranges: dict[str, list[dict[str, Any]]] = {}

    def bold(self, offset: int, length: int) -> Self:
        """Makes a range bold."""
        return self._add("bold", offset, length)

    def italic(self, offset: int, length: int) -> Self:
        """Makes a range italic."""
        return self._add("italic", offset, length)

    def underline(self, offset: int, length: int) -> Self:
        """Underlines a range."""
        return self._add("underline", offset, length)

    def strikethrough(self, offset: int, length: int) -> Self:
        """Strikes a range through."""
        return self._add("strikethrough", offset, length)

    def link(self, offset: int, length: int, url: str) -> Self:
        """Makes a range a link."""
        return self._add("link", offset, length, url)

    def mention(self, offset: int, length: int) -> Self:
        """Makes a range a mention."""
        return self._add("mention", offset, length)

    def inline_code(self, offset: int, length: int) -> Self:
        """Makes a range code."""
        return self._add("inline_code", offset, length)

    def pre(self, offset: int, length: int) -> Self:
        """Makes a range a block of code."""
        return self._add("pre", offset, length)

    def ordered_list(self, offset: int, length: int) -> Self:
        """Makes a range a numbered list."""
        return self._add("ordered_list", offset, length)

    def unordered_list(self, offset: int, length: int) -> Self:
        """Makes a range a list."""
        return self._add("unordered_list", offset, length)

    def quote(self, offset: int, length: int) -> Self:
        """Makes a range a quotation."""
        return self._add("quote", offset, length)

    def bold_text(self, substring: str, occurrence: int = 1) -> Self:
        """Makes a part of the text bold; raises ValueError if the text has it not so often."""
        return self._add("bold", *self._find(substring, occurrence))

    def italic_text(self, substring: str, occurrence: int = 1) -> Self:
        """Makes a part of the text italic."""
        return self._add("italic", *self._find(substring, occurrence))

    def underline_text(self, substring: str, occurrence: int = 1) -> Self:
        """Underlines a part of the text."""
        return self._add("underline", *self._find(substring, occurrence))

    def strikethrough_text(self, substring: str, occurrence: int = 1) -> Self:
        """Strikes a part of the text through."""
        return self._add("strikethrough", *self._find(substring, occurrence))

    def link_text(self, substring: str, url: str, occurrence: int = 1) -> Self:
        """Makes a part of the text a link."""
        return self._add("link", *self._find(substring, occurrence), url)

    def mention_text(self, substring: str, occurrence: int = 1) -> Self:
        """Makes a part of the text a mention."""
        return self._add("mention", *self._find(substring, occurrence))

    def inline_code_text(self, substring: str, occurrence: int = 1) -> Self:
        """Makes a part of the text code."""
        return self._add("inline_code", *self._find(substring, occurrence))

    def pre_text(self, substring: str, occurrence: int = 1) -> Self:
        """Makes a part of the text a block of code."""
        return self._add("pre", *self._find(substring, occurrence))

    def ordered_list_text(self, substring: str, occurrence: int = 1) -> Self:
        """Makes a part of the text a numbered list."""
        return self._add("ordered_list", *self._find(substring, occurrence))

    def unordered_list_text(self, substring: str, occurrence: int = 1) -> Self:
        """Makes a part of the text a list."""
        return self._add("unordered_list", *self._find(substring, occurrence))

    def quote_text(self, substring: str, occurrence: int = 1) -> Self:
        """Makes a part of the text a quotation."""
        return self._add("quote", *self._find(substring, occurrence))

    def build(self) -> dict[str, list[dict[str, Any]]]:
        """The ranges by style, as the server calls them. Raises ValueError as `validate` does."""
        self.validate()
        return {_NAMES.get(style, style): [dict(one) for one in ranges] for style, ranges in self._ranges.items()}

    def to_json(self) -> str:
        """`build` as JSON."""
        return msgspec.json.encode(self.build()).decode()

    def validate(self) -> None:
        """Raises ValueError for ranges of one style that overlap, and for styles that cannot be together."""
        for style, ranges in self._ranges.items():
            for before, after in pairwise(sorted(ranges, key=lambda one: one["offset"])):
                if _overlap(before, after):
                    raise ValueError(f"Overlapping {style!r} ranges {_shown(before)} and {_shown(after)}")
        for one, other in _conflicts(list(self._ranges)):
            for before in self._ranges[one]:
                for after in self._ranges[other]:
                    if _overlap(before, after):
                        raise ValueError(
                            f"Conflicting styles {one!r} + {other!r} at ranges {_shown(before)} and {_shown(after)}"
                        )

    def _find(self, substring: str, occurrence: int) -> tuple[int, int]:
        if not substring or occurrence < 1:
            raise ValueError("Say which part of the text, and which occurrence of it from 1 on")
        at = -1
        for _ in range(occurrence):
            at = self.text.find(substring, at + 1)
            if at < 0:
                which = "" if occurrence == 1 else f" {occurrence} times"
                raise ValueError(f"Substring {substring!r} not found{which} in the text")
        return utf16_length(self.text[:at]), utf16_length(substring)

    def _add(self, style: str, offset: int, length: int, url: str | None = None) -> Self:
        if offset < 0 or length < 1:
            raise ValueError(f"A range begins at 0 or later and has at least one unit: {style} at {offset}, {length}")
        ranged: dict[str, Any] = {"offset": offset, "length": length}
        if url is not None:
            ranged["url"] = url
        self._ranges.setdefault(style, []).append(ranged)
        return self


def _conflicts(styles: list[str]) -> Iterator[tuple[str, str]]:
    """Pairs of styles that cannot be together."""
    for one, other in combinations(styles, 2):
        if "pre" in (one, other):
            yield ("pre", other if one == "pre" else one)
        elif frozenset({one, other}) in _EXCLUDING:
            yield one, other


def _overlap(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return bool(one["offset"] < other["offset"] + other["length"] and other["offset"] < one["offset"] + one["length"])


def _shown(one: dict[str, Any]) -> str:
    return f"{one['offset']}-{one['offset'] + one['length']}"


__all__ = ["FormatBuilder"]
