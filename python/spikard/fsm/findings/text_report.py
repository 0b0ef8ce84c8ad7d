"""Findings for people: the place, the line, a caret under what is meant, and what to do."""

from collections.abc import Sequence

from spikard.fsm.findings.finding import Finding
from spikard.fsm.findings.inspection import Inspection

# The longest part of a line that is shown; what is wrong stands inside.
MOST_COLUMNS = 120


def to_text(inspections: Sequence[Inspection]) -> str:
    """All findings of files, each with its line; nothing where there is none."""
    blocks = []
    for inspection in inspections:
        lines = inspection.text.splitlines()
        blocks += [_block(finding, lines) for finding in inspection.findings]
    return "\n".join(blocks)


def _block(finding: Finding, lines: Sequence[str]) -> str:
    place = finding.file
    if finding.line is not None:
        place += f":{finding.line}:{finding.column}"
    shown = [f"{place}: {finding.severity}[{finding.code}]: {finding.message}"]
    margin = ""
    # What is about the machine as a whole stands nowhere in particular.
    has_place = finding.is_fault or bool(finding.path)
    if has_place and finding.line is not None and finding.column is not None and 0 < finding.line <= len(lines):
        margin = " " * len(str(finding.line))
        line, column, width = _cut(lines[finding.line - 1], finding.column, finding.end_column)
        shown += [f"{margin} |", f"{finding.line} | {line}", f"{margin} | {' ' * (column - 1)}{'^' * width}"]
    if finding.path:
        shown.append(f"{margin} = at: {finding.path}")
    if finding.hint:
        shown.append(f"{margin} = help: {finding.hint}")
    return "\n".join(shown) + "\n"


def _cut(line: str, column: int, end: int | None) -> tuple[str, int, int]:
    """The part of a line that is shown, and where in it the carets stand. Tabs are one column wide."""
    line = line.replace("\t", " ")
    width = max(1, (end or column + 1) - column)
    if len(line) <= MOST_COLUMNS:
        return line, column, width
    first = max(0, min(column - 1 - MOST_COLUMNS // 3, len(line) - MOST_COLUMNS))
    part = line[first : first + MOST_COLUMNS]
    before, after = "…" if first else "", "…" if first + MOST_COLUMNS < len(line) else ""
    column += len(before) - first
    return before + part + after, column, max(1, min(width, len(before) + len(part) - column + 1))
