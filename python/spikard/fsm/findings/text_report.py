"""Findings for people: the place, the line, a caret under what is meant, and what to do."""

import re
import unicodedata
from collections.abc import Sequence

from spikard.fsm.findings.finding import Finding
from spikard.fsm.findings.inspection import Inspection
from spikard.fsm.findings.pointing import lines_of

# The longest part of a line that is shown; what is wrong stands inside.
MOST_COLUMNS = 120
FEWEST_COLUMNS = 20
# What a terminal would obey rather than show, or let the text run the other way for.
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def to_text(inspections: Sequence[Inspection], *, columns: int | None = None) -> str:
    """All findings of files, each with its line; nothing where there is none. Lines fit into so many `columns`."""
    blocks = []
    for inspection in inspections:
        lines = lines_of(inspection.text)
        blocks += [_block(finding, lines, columns) for finding in inspection.findings]
    return "\n".join(blocks)


def _block(finding: Finding, lines: Sequence[str], columns: int | None) -> str:
    place = finding.file
    if finding.line is not None:
        place += f":{finding.line}:{finding.column}"
    shown = [f"{place}: {finding.severity}[{finding.code}]: {finding.message}"]
    margin = ""
    # What is about the machine as a whole stands nowhere in particular.
    has_place = finding.is_fault or bool(finding.path)
    if has_place and finding.line is not None and finding.column is not None and 0 < finding.line <= len(lines):
        margin = " " * len(str(finding.line))
        most = MOST_COLUMNS if columns is None else max(FEWEST_COLUMNS, min(MOST_COLUMNS, columns - len(margin) - 5))
        line, column, width = _cut(lines[finding.line - 1], finding.column, finding.end_column, most)
        before, meant = line[: column - 1], line[column - 1 : column - 1 + width]
        carets = " " * _wide(before) + "^" * max(_wide(meant), width)
        shown += [f"{margin} |", f"{finding.line} | {line}", f"{margin} | {carets}"]
    if finding.path:
        shown.append(f"{margin} = at: {finding.path}")
    if finding.hint:
        shown.append(f"{margin} = help: {finding.hint}")
    return _OBEYED.sub("\N{REPLACEMENT CHARACTER}", "\n".join(shown)) + "\n"


def _wide(text: str) -> int:
    """How many columns of a terminal a text takes: marks on letters take none, signs of East Asia two."""
    return sum(
        0
        if unicodedata.category(sign) in ("Mn", "Me", "Cf")
        else 2
        if unicodedata.east_asian_width(sign) in "WF"
        else 1
        for sign in text
    )


def _cut(line: str, column: int, end: int | None, most: int) -> tuple[str, int, int]:
    """The part of a line that is shown, and where in it the carets stand. Tabs are one column wide."""
    line = _OBEYED.sub("\N{REPLACEMENT CHARACTER}", line.replace("\t", " "))
    width = max(1, (end or column + 1) - column)
    if len(line) <= most:
        return line, column, width
    first = max(0, min(column - 1 - most // 3, len(line) - most))
    part = line[first : first + most]
    before, after = "…" if first else "", "…" if first + most < len(line) else ""
    column += len(before) - first
    return before + part + after, column, max(1, min(width, len(before) + len(part) - column + 1))
