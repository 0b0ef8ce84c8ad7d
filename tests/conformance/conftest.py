"""Runs of cases, and the table of what has passed."""

import re
from collections import Counter

import pytest

from tests.conformance.case import open_cases
from tests.conformance.message_case import open_message_cases

OPEN = re.compile(r"test_open_cases\.py|test_messages\.py|test_answers\.py")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many cases of the open data passed, by category."""
    passed, failed = (_by_category(terminalreporter, outcome) for outcome in ("passed", "failed"))
    cases = Counter(case.category for case in (*open_cases(), *open_message_cases()))
    if not passed + failed:
        return
    terminalreporter.section("open cases: category, passed runs of all runs")
    for category in sorted(cases):
        runs = passed[category] + failed[category]
        terminalreporter.line(f"{category}: {passed[category]} of {runs}, {cases[category]} cases")


def _by_category(reporter: pytest.TerminalReporter, outcome: str) -> Counter[str]:
    nodes = [report.nodeid for report in reporter.stats.get(outcome, ()) if OPEN.search(report.nodeid)]
    return Counter(node.partition("[")[2].split("/")[0] for node in nodes if "[" in node)
