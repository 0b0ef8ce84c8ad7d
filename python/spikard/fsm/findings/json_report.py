"""Findings for programs."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from spikard.fsm.findings.finding import Severity
from spikard.fsm.findings.inspection import Inspection


def to_json(inspections: Sequence[Inspection]) -> dict[str, Any]:
    """Findings by file, and how many there are of each severity."""
    counts = {severity.value: 0 for severity in reversed(Severity)}
    files = []
    for one in inspections:
        for finding in one.findings:
            counts[finding.severity.value] += 1
        findings = [{name: value for name, value in asdict(each).items() if name != "file"} for each in one.findings]
        files.append({"file": one.file, "valid": one.is_valid, "findings": findings})
    return {"files": files, "counts": counts}
