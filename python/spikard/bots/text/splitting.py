"""Long texts in parts that the platform takes, with markup that is whole in each."""

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

LIMIT = 4096

_HTML_TOKEN = re.compile(
    r"<(/?)([a-zA-Z][\w-]*)((?:\s[^<>]*)?)>|&(?:#\d+|#[xX][0-9a-fA-F]+|\w+);|\n|[ \t]|.", re.DOTALL
)
_MD_TOKEN = re.compile(
    r"\\.|```[^\n`]*\n?|`|\[(?:\\.|[^\[\]\\])*\]\((?:\\.|[^)\\])*\)|__|[*_~]|(?m:^>)|\n|[ \t]|.", re.DOTALL
)
_MD_STYLES = {"*", "_", "__", "~"}
_JOINERS = "\u200d\ufe0e\ufe0f\u20e3"
_EMPTY = {"br"}


class _Atom(NamedTuple):
    """What is never cut: a character, an entity, a tag. A tag has what opens and closes it."""

    text: str
    opens: tuple[str, str] | None = None
    closes: bool = False
    is_glue: bool = False


def split_text(text: str, max_length: int = LIMIT, *, parse_mode: str | None = None) -> list[str]:
    """The text in parts of at most `max_length` characters.

    Cuts at the last line break, else at the last space, else anywhere but inside a character that is made of several.
    Line breaks at a cut are dropped. With a parse mode, styles that are open at a cut are closed before it and opened
    again after it, and entities stay whole.

    Raises:
        ValueError: `max_length` is less than one, or too small for the tags around a single character.
    """
    if max_length < 1:
        raise ValueError(f"Parts have at least one character, not {max_length}")
    if len(text) <= max_length:
        return [text]
    if parse_mode is None:
        return list(_plain(text, max_length))
    atoms = list(_html_atoms(text) if str(parse_mode).upper() == "HTML" else _md_atoms(text))
    return list(_Splitter(atoms, max_length).parts())


def _plain(text: str, max_length: int) -> Iterator[str]:
    while len(text) > max_length:
        cut = text.rfind("\n", 0, max_length)
        if cut <= 0:
            cut = text.rfind(" ", 0, max_length)
        if cut <= 0:
            cut = _whole(text, max_length)
        yield text[:cut]
        text = text[cut:].lstrip("\n")
    if text:
        yield text


def _whole(text: str, cut: int) -> int:
    """The last place up to `cut` that is not inside a character made of several; `cut` if there is none."""
    at = cut
    while at > 0 and _is_glued(text[at - 1], text[at]):
        at -= 1
    return at or cut


def _is_glued(before: str, after: str) -> bool:
    """Whether two code points belong to one character: accents, variants, joined emoji, halves of a surrogate pair."""
    return (
        unicodedata.category(after) in ("Mn", "Me", "Mc")
        or after in _JOINERS
        or before == "\u200d"
        or "\U0001f3fb" <= after <= "\U0001f3ff"
        or ("\ud800" <= before <= "\udbff" and "\udc00" <= after <= "\udfff")
    )


def _html_atoms(text: str) -> Iterator[_Atom]:
    before = ""
    for token in _HTML_TOKEN.finditer(text):
        word, (slash, tag, _) = token[0], token.groups(default="")
        if tag and tag.lower() not in _EMPTY and not word.endswith("/>"):
            if slash:
                yield _Atom(word, closes=True)
            else:
                yield _Atom(word, opens=(word, f"</{tag}>"))
        else:
            yield _Atom(word, is_glue=len(word) == len(before) == 1 and _is_glued(before, word))
        before = word


def _md_atoms(text: str) -> Iterator[_Atom]:
    open_marks: list[str] = []
    before = ""
    in_quote = False
    for token in _MD_TOKEN.finditer(text):
        word = token[0]
        fence = "```" if word.startswith("```") else word
        inside_code = open_marks[-1:] in (["`"], ["```"])
        if inside_code and fence != open_marks[-1]:
            yield from (_Atom(word),) if word.startswith("\\") else _characters(word, before)
        elif fence in ("`", "```") or word in _MD_STYLES:
            yield from _mark(open_marks, word, fence)
        elif word == ">":
            in_quote = True
            yield _Atom(word, opens=(">", ""))
        elif word == "\n" and in_quote:
            in_quote = False
            yield _Atom("", closes=True)
            yield _Atom(word)
        else:
            yield _Atom(word, is_glue=len(word) == len(before) == 1 and _is_glued(before, word))
        before = word


def _mark(open_marks: list[str], word: str, fence: str) -> Iterator[_Atom]:
    """A mark that opens, or that closes what is open."""
    if open_marks[-1:] == [fence]:
        open_marks.pop()
        # What follows the end of a block on its line is no language.
        yield _Atom(fence, closes=True)
        yield from (_Atom(rest) for rest in word[len(fence) :])
    else:
        open_marks.append(fence)
        # A block that is cut goes on in a block of the same language.
        yield _Atom(word, opens=(word, "\n```" if fence == "```" else fence))


def _characters(word: str, before: str) -> Iterator[_Atom]:
    for character in word:
        yield _Atom(character, is_glue=len(before) == 1 and _is_glued(before, character))
        before = character


class _Splitter:
    """Fills part after part with atoms."""

    def __init__(self, atoms: list[_Atom], max_length: int) -> None:
        self._atoms = atoms
        self._max_length = max_length
        self._open: list[tuple[str, str]] = []
        self._at = 0

    def parts(self) -> Iterator[str]:
        while self._at < len(self._atoms):
            start = "".join(reopen for reopen, _ in self._open)
            end = self._end(len(start))
            inside = self._atoms[self._at : end]
            for atom in inside:
                _follow(self._open, atom)
            if any(atom.text and not atom.opens and not atom.closes for atom in inside):
                yield start + "".join(atom.text for atom in inside) + _closing(self._open)
            self._at = end
            self._skip()

    def _end(self, length: int) -> int:
        """Where the part that begins now ends: the number of the first atom that is not in it."""
        open_tags = list(self._open)
        line_break = space = whole = tag = None
        has_text = False
        for number in range(self._at, len(self._atoms)):
            atom = self._atoms[number]
            # An atom that closes takes the place that was kept for it.
            if has_text and atom.text == "\n":
                line_break = number
            elif has_text and atom.text == " ":
                space = number
            if number > self._at and not atom.is_glue and not atom.closes:
                whole, tag = (number, tag) if has_text else (whole, number)
            length += len(atom.text)
            _follow(open_tags, atom)
            if length + len(_closing(open_tags)) > self._max_length:
                # Tags without a text before them are worth no part: it is passed over.
                end = line_break or space or whole or tag
                if end is None:
                    raise ValueError(f"max_length={self._max_length} is too small for {atom.text!r} and its markup")
                return end
            has_text = has_text or not (atom.opens or atom.closes)
        return len(self._atoms)

    def _skip(self) -> None:
        """Passes over what has no place at the beginning of a part."""
        while self._at < len(self._atoms):
            atom = self._atoms[self._at]
            if atom.closes:
                _follow(self._open, atom)
            elif atom.text != "\n":
                return
            self._at += 1


def _follow(open_tags: list[tuple[str, str]], atom: _Atom) -> None:
    if atom.opens is not None:
        open_tags.append(atom.opens)
    elif atom.closes and open_tags:
        open_tags.pop()


def _closing(open_tags: list[tuple[str, str]]) -> str:
    return "".join(close for _, close in reversed(open_tags))


__all__ = ["LIMIT", "split_text"]
