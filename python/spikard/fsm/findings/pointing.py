"""From a place in a text to the words that stand there."""

import re

_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"|' + r"'(?:''|[^'])*'")
_IN_FLOW = re.compile(r"[^,\]}#]+")
_PLAIN = re.compile(r"(?:(?! #|: |:$).)+")


def end_of(line: str, column: int) -> int:
    """The column after the word or the text in quotes that begins at a column."""
    rest = line[column - 1 :]
    if not rest or rest[0] in "[{":
        return column + 1
    if rest.startswith("- "):
        return column + 1
    before = line[: column - 1]
    in_flow = before.count("{") + before.count("[") > before.count("}") + before.count("]")
    pattern = _QUOTED if rest[0] in "\"'" else _IN_FLOW if in_flow else _PLAIN
    found = pattern.match(rest)
    words = found[0] if found else rest
    if in_flow and ": " in words and pattern is _IN_FLOW:
        words = words.partition(": ")[0]
    return column + max(1, len(words.rstrip()))


def column_of_key(line: str, key: str) -> int | None:
    """Where a key of a mapping stands in a line."""
    found = re.search(rf"""(?<![\w"'])(["']?){re.escape(key)}\1\s*:""", line)
    return None if found is None else found.start() + 1


def lines_of(text: str) -> list[str]:
    """The lines of a text as YAML and JSON count them: other signs that end a line elsewhere end none here."""
    return re.split(r"\r\n|\r|\n", text)
