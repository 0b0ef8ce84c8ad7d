"""Findings as SARIF 2.1.0, which code scanning and editors read."""

import hashlib
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from spikard import __version__
from spikard.fsm.findings.finding import Finding, Severity
from spikard.fsm.findings.inspection import Inspection

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def to_sarif(inspections: Sequence[Inspection]) -> dict[str, Any]:
    """One run of one tool, with a rule for each code that was found."""
    findings = [(finding, one.text.splitlines()) for one in inspections for finding in one.findings]
    codes = sorted({finding.code for finding, _ in findings})
    levels = {finding.code: _LEVELS[finding.severity] for finding, _ in findings}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "spikard fsm",
                        "semanticVersion": __version__,
                        "rules": [{"id": code, "defaultConfiguration": {"level": levels[code]}} for code in codes],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(finding, lines, codes) for finding, lines in findings],
            }
        ],
    }


def _result(finding: Finding, lines: Sequence[str], codes: Sequence[str]) -> dict[str, Any]:
    text = finding.message if finding.hint is None else f"{finding.message} ({finding.hint})"
    location: dict[str, Any] = {"artifactLocation": {"uri": _uri(finding.file)}}
    if finding.line is not None:
        region = {"startLine": finding.line, "startColumn": finding.column, "endColumn": finding.end_column}
        location["region"] = {name: value for name, value in region.items() if value is not None}
    return {
        "ruleId": finding.code,
        "ruleIndex": codes.index(finding.code),
        "level": _LEVELS[finding.severity],
        "message": {"text": text},
        "locations": [{"physicalLocation": location}],
        "partialFingerprints": {"findingHash/v1": _fingerprint(finding, lines)},
    }


def _uri(file: str) -> str:
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())


def _fingerprint(finding: Finding, lines: Sequence[str]) -> str:
    """The same for the same finding when lines above it come or go."""
    line = lines[finding.line - 1].strip() if finding.line and finding.line <= len(lines) else ""
    return hashlib.sha256(f"{finding.code}\n{line}\n{finding.message}".encode()).hexdigest()[:32]
