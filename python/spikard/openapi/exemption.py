"""Which routes the exempt paths of a guard leave open, as far as the document can tell."""

import re
from collections.abc import Iterable

PIECES = re.compile(r"\*|\{[^}]*\}")
PARAMETERS = re.compile(r"\{[^}]*?(:path)?\}")

# Stands for whatever fills a parameter: no pattern has it in its text, so only `*` and `{name}` take it.
ANYTHING = "\N{REPLACEMENT CHARACTER}"


def is_exempt(path: str, patterns: Iterable[str]) -> bool:
    """Whether every path of this route fits a pattern: `*` and `{name:path}` for anything, `{name}` for one segment."""
    sample = PARAMETERS.sub(lambda found: f"{ANYTHING}/{ANYTHING}" if found[1] else ANYTHING, path)
    return any(_expression(pattern).fullmatch(sample) for pattern in patterns)


def _expression(pattern: str) -> re.Pattern[str]:
    texts = [re.escape(text) for text in PIECES.split(pattern)]
    pieces = [".*" if piece == "*" or piece.endswith(":path}") else "[^/]+" for piece in PIECES.findall(pattern)]
    return re.compile("".join(text + piece for text, piece in zip(texts, [*pieces, ""], strict=True)), re.DOTALL)


__all__ = ["is_exempt"]
