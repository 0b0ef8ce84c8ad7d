"""Findings as commands of GitHub's workflows, which shows them beside the lines they are about."""

from collections.abc import Sequence

from spikard.fsm.findings.finding import Finding, Severity
from spikard.fsm.findings.inspection import Inspection

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def to_github(inspections: Sequence[Inspection]) -> str:
    """One command for each finding, in lines."""
    return "".join(f"{_command(finding)}\n" for one in inspections for finding in one.findings)


def _command(finding: Finding) -> str:
    values = {
        "file": finding.file,
        "line": finding.line,
        "col": finding.column,
        "endColumn": finding.end_column,
        "title": f"spikard fsm: {finding.code}",
    }
    given = ",".join(f"{name}={_property(str(value))}" for name, value in values.items() if value is not None)
    text = finding.message if finding.hint is None else f"{finding.message} ({finding.hint})"
    return f"::{_COMMANDS[finding.severity]} {given}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
