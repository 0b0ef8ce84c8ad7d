"""From HTML to nodes."""

from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

from spikard.bots.text.nodes import (
    Bold,
    Code,
    Italic,
    Link,
    Node,
    OrderedList,
    Pre,
    Quote,
    Strikethrough,
    Text,
    Underline,
    UnorderedList,
    plain_text,
)

_NODES: dict[str, Callable[..., Node]] = {
    "b": Bold,
    "strong": Bold,
    "i": Italic,
    "em": Italic,
    "u": Underline,
    "ins": Underline,
    "s": Strikethrough,
    "strike": Strikethrough,
    "del": Strikethrough,
    "code": Code,
    "pre": Pre,
    "a": Link,
    "blockquote": Quote,
    "ol": OrderedList,
    "ul": UnorderedList,
    "li": Text,
}


class _Open:
    """A tag that is not closed yet."""

    def __init__(self, tag: str, attributes: dict[str, str]) -> None:
        self.tag = tag
        self.attributes = attributes
        self.parts: list[Any] = []

    def node(self) -> Node:
        if self.tag == "a":
            return Link(*self.parts, url=self.attributes.get("href", ""))
        if self.tag == "pre":
            return _pre(self.parts)
        if self.tag in ("ol", "ul"):
            # Spaces between items are layout.
            return _NODES[self.tag](*(part for part in self.parts if isinstance(part, Node)))
        if self.tag == "code" and "class" in self.attributes:
            return _LanguageCode(*self.parts, language=self.attributes["class"])
        return _NODES[self.tag](*self.parts)


class _LanguageCode(Code):
    """Code with a language, which is a block if it stands in `pre`."""

    def __init__(self, *parts: Any, language: str) -> None:
        super().__init__(*parts)
        self.language = language.removeprefix("language-")


def _pre(parts: list[Any]) -> Pre:
    if len(parts) == 1 and isinstance(parts[0], Code):
        inner = parts[0]
        return Pre(plain_text(inner), language=getattr(inner, "language", ""))
    return Pre(*parts)


class _Reader(HTMLParser):
    """Builds nodes from the inside out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.stack = [_Open("", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self.stack[-1].parts.append("\n")
            return
        if tag not in _NODES:
            raise ValueError(f"<{tag}> in line {self.getpos()[0]}, column {self.getpos()[1]} is not known")
        self.stack.append(_Open(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if tag == "br":
            return
        done = self.stack[-1]
        if done.tag != tag:
            expected = f"</{done.tag}>" if done.tag else "no closing tag"
            raise ValueError(f"</{tag}> in line {self.getpos()[0]}, column {self.getpos()[1]}: expected {expected}")
        self.stack.pop()
        self.stack[-1].parts.append(done.node())

    def handle_data(self, data: str) -> None:
        parts = self.stack[-1].parts
        if parts and isinstance(parts[-1], str):
            parts[-1] += data
        else:
            parts.append(data)


def from_html(text: str) -> Text:
    """The text as nodes.

    Raises:
        ValueError: A tag is unknown, or not closed where it has to be; the message says where.
    """
    reader = _Reader()
    reader.feed(text)
    reader.close()
    if len(reader.stack) > 1:
        raise ValueError(f"<{reader.stack[-1].tag}> is not closed")
    return Text(*reader.stack[0].parts)


__all__ = ["from_html"]
