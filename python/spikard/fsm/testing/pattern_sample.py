"""A text that a regular expression finds something in."""

import re

# The parser of the standard library, which has no public name.
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

_CATEGORIES = {
    codes.CATEGORY_DIGIT: "0",
    codes.CATEGORY_NOT_DIGIT: "a",
    codes.CATEGORY_SPACE: " ",
    codes.CATEGORY_NOT_SPACE: "a",
    codes.CATEGORY_WORD: "a",
    codes.CATEGORY_NOT_WORD: "-",
}
_TRIES = "aA0 -_.@/" + "".join(map(chr, range(33, 127)))
_MOST = 1000


def sample(pattern: str) -> str | None:
    """The shortest text that comes to mind; None where none does."""
    try:
        text = _sequence(parser.parse(pattern))
        return text if re.search(pattern, text) else None
    except (re.error, ValueError, OverflowError, RecursionError):
        return None


def _sequence(items: Any) -> str:
    return "".join(_item(code, argument) for code, argument in items)


def _item(code: Any, argument: Any) -> str:
    if code is codes.LITERAL:
        return chr(argument)
    if code is codes.NOT_LITERAL:
        return next(one for one in _TRIES if ord(one) != argument)
    if code is codes.ANY:
        return "a"
    if code is codes.IN:
        return _one_of(argument)
    if code is codes.BRANCH:
        return min((_sequence(branch) for branch in argument[1]), key=len)
    if code is codes.SUBPATTERN:
        return _sequence(argument[-1])
    if code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
        least, _, body = argument
        if least > _MOST:
            raise ValueError("too long")
        return str(_sequence(body) * least)
    if code is codes.AT:
        return ""
    raise ValueError(f"{code} is not known")


def _one_of(members: Any) -> str:
    if members[0][0] is codes.NEGATE:
        return next(one for one in _TRIES if not any(_is_in(one, member) for member in members[1:]))
    code, argument = members[0]
    if code is codes.LITERAL:
        return chr(argument)
    if code is codes.RANGE:
        return chr(argument[0])
    return _CATEGORIES[argument]


def _is_in(character: str, member: Any) -> bool:
    code, argument = member
    if code is codes.LITERAL:
        return ord(character) == int(argument)
    if code is codes.RANGE:
        return bool(argument[0] <= ord(character) <= argument[1])
    return re.match({"0": r"\d", "a": r"\w", " ": r"\s"}.get(_CATEGORIES[argument], r"\W"), character) is not None
