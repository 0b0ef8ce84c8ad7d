"""Texts with styles as trees, rendered in whichever markup is wanted; strings in them are escaped once."""

import re
from typing import Any, NamedTuple

from spikard.bots.text.markup import html, md

_HTML = "html"
_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.\-]*):")
_ALLOWED = {"http", "https", "mailto", "tel"}


class Span(NamedTuple):
    """A range of a text, in UTF-16 code units."""

    style: str
    offset: int
    length: int
    url: str | None = None


class _Plain:
    """A text without markup, and its ranges, while a tree is walked."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.spans: list[Span] = []
        self.length = 0

    def write(self, text: str) -> None:
        self.text.append(text)
        self.length += utf16_length(text)


def utf16_length(text: str) -> int:
    """How long a text is for the server: characters beyond the first plane count twice."""
    return len(text) + sum(character > "\uffff" for character in text)


class Node:
    """Something that texts are made of: strings, which are escaped, and other nodes."""

    def __init__(self, *parts: Any) -> None:
        self._parts = parts

    def as_html(self) -> str:
        """The text in HTML."""
        return self._render(_HTML)

    def as_markdown(self) -> str:
        """The text in MarkdownV2."""
        return self._render("md")

    def as_kwargs(self, mode: str = "HTML", *, parse_mode: str | None = None) -> dict[str, str]:
        """Arguments of `answer` and `send_text`: the text and its mode."""
        if (parse_mode or mode) in ("MarkdownV2", "md"):
            return {"text": self.as_markdown(), "parse_mode": "MarkdownV2"}
        return {"text": self.as_html(), "parse_mode": "HTML"}

    def as_format(self) -> dict[str, Any]:
        """Arguments of `send_text` without markup: the text, and `format_` with ranges in UTF-16 code units."""
        plain = _Plain()
        self._walk(plain)
        styles: dict[str, list[dict[str, Any]]] = {}
        for span in plain.spans:
            ranged: dict[str, Any] = {"offset": span.offset, "length": span.length}
            if span.url is not None:
                ranged["url"] = span.url
            styles.setdefault(span.style, []).append(ranged)
        return {"text": "".join(plain.text), "format_": styles}

    def split(self, max_length: int = 4096) -> list["Text"]:
        """The same in several texts, each of at most so many characters of HTML."""
        from spikard.bots.text.parsing import from_html
        from spikard.bots.text.splitting import split_text

        return [from_html(part) for part in split_text(self.as_html(), max_length, parse_mode="HTML")]

    def _render(self, mode: str) -> str:
        return self._inside(mode)

    def _inside(self, mode: str) -> str:
        return "".join(_render_part(part, mode) for part in self._parts)

    def _walk(self, plain: _Plain) -> None:
        for part in self._parts:
            if isinstance(part, Node):
                part._walk(plain)
            else:
                plain.write(str(part))

    def __str__(self) -> str:
        return self.as_html()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self._parts))})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    def __hash__(self) -> int:
        return hash((type(self), self.as_html()))

    def __add__(self, other: "str | Node") -> "Text":
        if not isinstance(other, str | Node):
            return NotImplemented
        return Text(*_flat(self), *_flat(other))

    def __radd__(self, other: str) -> "Text":
        if not isinstance(other, str):
            return NotImplemented
        return Text(other, *_flat(self))


class Text(Node):
    """Parts one after another."""

    @staticmethod
    def from_html(text: str) -> "Text":
        """Reads HTML as the platform knows it. Raises ValueError for what it does not know."""
        from spikard.bots.text.parsing import from_html

        return from_html(text)


class _Styled(Node):
    """Parts in one style."""

    _style = ""

    def _walk(self, plain: _Plain) -> None:
        start = plain.length
        super()._walk(plain)
        if plain.length > start:
            plain.spans.append(Span(self._style, start, plain.length - start, self._address()))

    def _address(self) -> str | None:
        return None


class Bold(_Styled):
    """Bold."""

    _style = "bold"

    def _render(self, mode: str) -> str:
        return (html if mode == _HTML else md).bold(self._inside(mode))


class Italic(_Styled):
    """Italic."""

    _style = "italic"

    def _render(self, mode: str) -> str:
        return (html if mode == _HTML else md).italic(self._inside(mode))


class Underline(_Styled):
    """Underlined."""

    _style = "underline"

    def _render(self, mode: str) -> str:
        return (html if mode == _HTML else md).underline(self._inside(mode))


class Strikethrough(_Styled):
    """Struck through."""

    _style = "strikethrough"

    def _render(self, mode: str) -> str:
        return (html if mode == _HTML else md).strikethrough(self._inside(mode))


class _Literal(_Styled):
    """Code: nothing inside it is markup, nodes neither."""

    def _inside(self, mode: str) -> str:
        text = plain_text(self)
        return html.escape(text) if mode == _HTML else md.escape_code(text)

    def _walk(self, plain: _Plain) -> None:
        start = plain.length
        plain.write(plain_text(self))
        if plain.length > start:
            plain.spans.append(Span(self._style, start, plain.length - start))


class Code(_Literal):
    """Code in a line."""

    _style = "inlineCode"

    def _render(self, mode: str) -> str:
        return (html if mode == _HTML else md).code(self._inside(mode))


class Pre(_Literal):
    """A block of code."""

    _style = "pre"

    def __init__(self, *parts: Any, language: str = "") -> None:
        super().__init__(*parts)
        self._language = language

    def _render(self, mode: str) -> str:
        return (html if mode == _HTML else md).pre(self._inside(mode), self._language)


class Link(_Styled):
    """A link. Raises ValueError for addresses that are none of http, https, mailto and tel."""

    _style = "link"

    def __init__(self, *text: Any, url: str | None = None) -> None:
        if url is None:  # the address as the last of the arguments
            if len(text) < 2 or not isinstance(text[-1], str):
                raise TypeError("Link needs an address: Link('text', url='https://...')")
            *text, url = text  # type: ignore[assignment]
        super().__init__(*text)
        self._url = checked_url(url)

    def _address(self) -> str | None:
        return self._url

    def _render(self, mode: str) -> str:
        return (html if mode == _HTML else md).link(self._inside(mode), self._url)


class Mention(_Styled):
    """Mentions somebody by id."""

    _style = "mention"

    def __init__(self, user_id: str) -> None:
        super().__init__(f"@[{user_id}]")
        self._user_id = user_id

    def _render(self, mode: str) -> str:
        return html.mention(html.escape(self._user_id)) if mode == _HTML else md.mention(self._user_id)

    def __repr__(self) -> str:
        return f"Mention({self._user_id!r})"


class Quote(_Styled):
    """A quotation."""

    _style = "quote"

    def _render(self, mode: str) -> str:
        return (html if mode == _HTML else md).quote(self._inside(mode))


class Raw(Node):
    """Markup that is ready, in the mode that it will be sent in."""

    def _inside(self, mode: str) -> str:  # noqa: ARG002 - the same in all modes
        return "".join(str(part) for part in self._parts)


class _List(_Styled):
    """Items, each a string or a node, as arguments or as one list."""

    def __init__(self, *items: Any) -> None:
        if len(items) == 1 and isinstance(items[0], list | tuple):
            (items,) = (tuple(items[0]),)
        super().__init__(*items)

    def _items(self, mode: str) -> list[str]:
        return [_render_part(part, mode) for part in self._parts]

    def _walk(self, plain: _Plain) -> None:
        start = plain.length
        for number, part in enumerate(self._parts):
            if number:
                plain.write("\n")
            Text(part)._walk(plain)
        if plain.length > start:
            plain.spans.append(Span(self._style, start, plain.length - start))


class OrderedList(_List):
    """A numbered list of its arguments."""

    _style = "orderedList"

    def _render(self, mode: str) -> str:
        return (html if mode == _HTML else md).ordered_list(self._items(mode))


class UnorderedList(_List):
    """A list of its arguments."""

    _style = "unorderedList"

    def _render(self, mode: str) -> str:
        return (html if mode == _HTML else md).unordered_list(self._items(mode))


def _render_part(part: Any, mode: str) -> str:
    if isinstance(part, Node):
        return part._render(mode)
    return html.escape(str(part)) if mode == _HTML else md.escape(str(part))


def _flat(part: str | Node) -> tuple[Any, ...]:
    return part._parts if type(part) is Text else (part,)


def plain_text(node: Node) -> str:
    """The text of a node without any markup."""
    return "".join(plain_text(part) if isinstance(part, Node) else str(part) for part in node._parts)


def checked_url(url: str) -> str:
    """The address, if it may stand in a link; raises ValueError if it could run something."""
    # Browsers ignore these before and inside a scheme.
    visible = re.sub(r"[\x00-\x20\x7f]", "", str(url))
    found = _SCHEME.match(visible)
    if found is None or found[1].lower() in _ALLOWED:
        return str(url)
    # A host with a port and no scheme.
    if ("." in found[1] or found[1].lower() == "localhost") and visible[found.end() :][:1].isdigit():
        return str(url)
    raise ValueError(f"A link to {found[1]}: is not allowed; use http, https, mailto or tel")


__all__ = [
    "Bold",
    "Code",
    "Italic",
    "Link",
    "Mention",
    "Node",
    "OrderedList",
    "Pre",
    "Quote",
    "Raw",
    "Span",
    "Strikethrough",
    "Text",
    "Underline",
    "UnorderedList",
    "checked_url",
    "plain_text",
    "utf16_length",
]
