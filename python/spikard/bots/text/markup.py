"""Markup as strings: `md` for MarkdownV2 and `html`.

These do not escape what they wrap, so that they nest: escape what comes from people, with `escape` or with `f`.
Addresses and names of languages cannot hold markup and are always escaped.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from string import Formatter
from typing import Any

_MD_SPECIAL = re.compile(r"([_*\[\]()~`>#+\-=|{}.!\\])")
_MD_IN_CODE = re.compile(r"([`\\])")
_MD_IN_URL = re.compile(r"([)\\])")
_HTML_TEXT = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;"}
_HTML_ATTRIBUTE = _HTML_TEXT | {ord('"'): "&quot;", ord("'"): "&#x27;"}


class _Escaping(Formatter):
    """Fills a template with escaped values."""

    def __init__(self, markup: "Markdown | Html") -> None:
        self._markup = markup

    def format_field(self, value: Any, format_spec: str) -> str:
        render = getattr(value, self._markup.node_method, None)
        if render is not None:
            return str(render())
        return self._markup.escape(super().format_field(value, format_spec))


class Markdown:
    """MarkdownV2."""

    node_method = "as_markdown"

    @staticmethod
    def escape(text: str) -> str:
        """The text with a backslash before everything that would mean something."""
        return _MD_SPECIAL.sub(r"\\\1", str(text))

    @staticmethod
    def escape_code(text: str) -> str:
        """The text as it stands inside code, where only backticks and backslashes mean something."""
        return _MD_IN_CODE.sub(r"\\\1", str(text))

    @staticmethod
    def bold(text: str) -> str:
        """Bold."""
        return f"*{text}*"

    @staticmethod
    def italic(text: str) -> str:
        """Italic."""
        return f"_{text}_"

    @staticmethod
    def underline(text: str) -> str:
        """Underlined."""
        return f"__{text}__"

    @staticmethod
    def strikethrough(text: str) -> str:
        """Struck through."""
        return f"~{text}~"

    @staticmethod
    def code(text: str) -> str:
        """Code in a line."""
        return f"`{text}`"

    @staticmethod
    def pre(text: str, language: str = "") -> str:
        """A block of code."""
        return f"```{_word(language)}\n{text}\n```"

    @staticmethod
    def link(text: str, url: str) -> str:
        """A link."""
        address = _MD_IN_URL.sub(r"\\\1", url)
        return f"[{text}]({address})"

    @staticmethod
    def quote(text: str) -> str:
        """A quotation."""
        return "\n".join(f">{line}" for line in text.split("\n"))

    @staticmethod
    def mention(user_id: str) -> str:
        """Mentions somebody."""
        return rf"@\[{Markdown.escape(user_id)}\]"

    @staticmethod
    def ordered_list(items: Iterable[str]) -> str:
        """A numbered list."""
        return "\n".join(f"{number}. {item}" for number, item in enumerate(items, 1))

    @staticmethod
    def unordered_list(items: Iterable[str]) -> str:
        """A list."""
        return "\n".join(f"- {item}" for item in items)

    def f(self, template: str, *values: Any, **named: Any) -> str:
        """The template filled as `str.format` would, with values escaped and nodes rendered."""
        return _fill(self, template, values, named)


class Html:
    """HTML."""

    node_method = "as_html"

    @staticmethod
    def escape(text: str) -> str:
        """The text with `&`, `<` and `>` escaped."""
        return str(text).translate(_HTML_TEXT)

    @staticmethod
    def escape_attribute(text: str) -> str:
        """The text as it stands inside quotes."""
        return str(text).translate(_HTML_ATTRIBUTE)

    @staticmethod
    def bold(text: str) -> str:
        """Bold."""
        return f"<b>{text}</b>"

    @staticmethod
    def italic(text: str) -> str:
        """Italic."""
        return f"<i>{text}</i>"

    @staticmethod
    def underline(text: str) -> str:
        """Underlined."""
        return f"<u>{text}</u>"

    @staticmethod
    def strikethrough(text: str) -> str:
        """Struck through."""
        return f"<s>{text}</s>"

    @staticmethod
    def code(text: str) -> str:
        """Code in a line."""
        return f"<code>{text}</code>"

    @staticmethod
    def pre(text: str, language: str = "") -> str:
        """A block of code."""
        if language:
            return f'<pre><code class="{Html.escape_attribute(language)}">{text}</code></pre>'
        return f"<pre>{text}</pre>"

    @staticmethod
    def link(text: str, url: str) -> str:
        """A link."""
        return f'<a href="{Html.escape_attribute(url)}">{text}</a>'

    @staticmethod
    def quote(text: str) -> str:
        """A quotation."""
        return f"<blockquote>{text}</blockquote>"

    @staticmethod
    def mention(user_id: str) -> str:
        """Mentions somebody."""
        return f"@[{user_id}]"

    @staticmethod
    def ordered_list(items: Iterable[str]) -> str:
        """A numbered list."""
        return f"<ol>{''.join(f'<li>{item}</li>' for item in items)}</ol>"

    @staticmethod
    def unordered_list(items: Iterable[str]) -> str:
        """A list."""
        return f"<ul>{''.join(f'<li>{item}</li>' for item in items)}</ul>"

    def f(self, template: str, *values: Any, **named: Any) -> str:
        """The template filled as `str.format` would, with values escaped and nodes rendered."""
        return _fill(self, template, values, named)


def _fill(markup: Markdown | Html, template: str, values: Sequence[Any], named: Mapping[str, Any]) -> str:
    return _Escaping(markup).vformat(template, values, named)


def _word(language: str) -> str:
    """The name of a language as far as it cannot end the line that it stands in."""
    return re.sub(r"[`\\\s]", "", language)


md = Markdown()
html = Html()

__all__ = ["Html", "Markdown", "html", "md"]
