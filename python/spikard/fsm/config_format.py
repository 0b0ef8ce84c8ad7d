"""Configurations laid out the same way everywhere, with nothing lost: values, their order and comments stay."""

import json
import math
import re
from io import StringIO
from typing import Any

from spikard._spikard import read_config
from spikard.fsm.config_text import read_text
from spikard.fsm.errors import ConfigurationError

# Nothing is folded: where a line ends is up to its author.
WIDTH = 1 << 20
_BLANK_LINES = re.compile(r"\n{3,}")


def format_config(text: str, form: str = "yaml", *, path: str | None = None) -> str:
    """The text with two blanks for each level, no blanks at the ends of lines, and at most one empty line in a row.

    `form` is `yaml` or `json`. Variables stay as they are written. A text that cannot be read, or that could not be
    laid out without a loss, is a `ConfigurationError`. YAML needs the library ruamel.yaml (`spikard[cli]`).
    """
    # Says in its own words, and with a place, what is wrong; variables that are not set are fine here.
    try:
        value = read_config(text, form).value()
    except ValueError:
        value = read_text(text, form, path=path).value()
    if form == "json":
        candidates = [json.dumps(value, indent=2, ensure_ascii=False) + "\n"]
    else:
        written = _yaml(text, path)
        # Within texts of several lines what looks like a comment is none: then all of them stay where they are.
        candidates = [_with_comments_in_line(written), written]
    for candidate in candidates:
        if _says_the_same(text, value, candidate, form):
            return candidate
    raise ConfigurationError("The text cannot be laid out without changing it; it stays as it is", path=path)


def _says_the_same(text: str, value: Any, candidate: str, form: str) -> bool:
    try:
        again = read_config(candidate, form).value()
    except ValueError:
        return False
    return _same(value, again) and _comments(text) == _comments(candidate)


def _with_comments_in_line(text: str) -> str:
    """The text with each comment that has a line of its own as far to the right as what it stands above."""
    lines = text.split("\n")
    margin = ""
    for number in range(len(lines) - 1, -1, -1):
        bare = lines[number].lstrip()
        if bare.startswith("#"):
            lines[number] = margin + bare
        elif bare:
            margin = lines[number][: len(lines[number]) - len(bare)]
    return "\n".join(lines)


def _yaml(text: str, path: str | None) -> str:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    writer = YAML(typ="rt")
    writer.preserve_quotes = True
    writer.width = WIDTH
    # `[{a: 1}]` without its braces is YAML that few can read.
    writer.brace_single_entry_mapping_in_flow_sequence = True
    writer.indent(mapping=2, sequence=4, offset=2)
    written = StringIO()
    try:
        writer.dump(writer.load(text), written)
    except YAMLError as error:
        what = str(getattr(error, "problem", None) or error)
        raise ConfigurationError(f"The text cannot be laid out: {what}", path=path) from None
    return _BLANK_LINES.sub("\n\n", written.getvalue()).strip("\n") + "\n"


def _same(one: Any, other: Any) -> bool:
    """Whether two values are equal to the last detail: kinds and the order of keys count, too."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, float) and math.isnan(one):
        return math.isnan(other)
    return bool(one == other)


def _comments(text: str) -> list[str]:
    """What stands behind the first sharp of each line, comment or not."""
    return [line.partition("#")[2].strip() for line in text.splitlines() if "#" in line]
