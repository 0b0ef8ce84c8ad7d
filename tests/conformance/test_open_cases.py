"""The open data, where it is at hand: SPIKARD_FIXTURES names its directory."""

import pytest

from tests.conformance.answer_case import CATEGORIES
from tests.conformance.case import Case, open_cases
from tests.conformance.exchange import send
from tests.conformance.model import Style, is_built
from tests.conformance.verdict import faults
from tests.served import Mode

CASES = [case for case in open_cases() if case.category not in CATEGORIES]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test for every case, mode and style; none without the data."""
    runs = [
        pytest.param(case, mode, style, id=f"{case.id}-{mode.value}-{style.value}")
        for case in CASES
        for mode in Mode
        for style in Style
        if style in (Style.BARE, Style.BUILTIN) or is_built(style, case.body_schema)
    ]
    if runs and "case" in metafunc.fixturenames:
        metafunc.parametrize(("case", "mode", "style"), runs)


if CASES:

    def test_case(case: Case, mode: Mode, style: Style) -> None:
        assert faults(case, send(case, mode, style)) == []
