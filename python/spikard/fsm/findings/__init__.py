"""What is wrong, or probably wrong, with files of machines, and ways to tell.

- `finding`: one of them, with its place
- `inspection`: look through a file
- `misspelt`: keys that are nearly ones of the format
- `pointing`: from a place to the words that stand there
- `text_report`, `github_report`, `sarif_report`, `json_report`: for people, for GitHub, for code scanning, for programs
"""

from spikard.fsm.findings.finding import Finding, Severity
from spikard.fsm.findings.github_report import to_github
from spikard.fsm.findings.inspection import Inspection, inspect_file, inspect_text
from spikard.fsm.findings.json_report import to_json
from spikard.fsm.findings.sarif_report import to_sarif
from spikard.fsm.findings.text_report import to_text

__all__ = [
    "Finding",
    "Inspection",
    "Severity",
    "inspect_file",
    "inspect_text",
    "to_github",
    "to_json",
    "to_sarif",
    "to_text",
]
