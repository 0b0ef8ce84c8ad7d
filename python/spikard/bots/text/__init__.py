"""Texts: markup as strings, trees of styles, ranges, and long texts in parts.

- `markup`: `md` and `html`
- `nodes`, `parsing`: trees, and HTML read into them
- `splitting`: `split_text`
- `format_builder`: ranges
"""

from spikard.bots.text.format_builder import FormatBuilder
from spikard.bots.text.markup import html, md
from spikard.bots.text.nodes import (
    Bold,
    Code,
    Italic,
    Link,
    Mention,
    Node,
    OrderedList,
    Pre,
    Quote,
    Raw,
    Strikethrough,
    Text,
    Underline,
    UnorderedList,
)
from spikard.bots.text.splitting import split_text

__all__ = [
    "Bold",
    "Code",
    "FormatBuilder",
    "Italic",
    "Link",
    "Mention",
    "Node",
    "OrderedList",
    "Pre",
    "Quote",
    "Raw",
    "Strikethrough",
    "Text",
    "Underline",
    "UnorderedList",
    "html",
    "md",
    "split_text",
]
