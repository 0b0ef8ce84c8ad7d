"""Our own cases, in both ways of running."""

import pytest

from tests.conformance.case import Case, own_cases
from tests.conformance.exchange import send
from tests.conformance.verdict import faults
from tests.served import Mode


@pytest.mark.parametrize("case", own_cases(), ids=lambda case: case.id)
@pytest.mark.parametrize("mode", Mode, ids=lambda mode: mode.value)
def test_case(case: Case, mode: Mode) -> None:
    assert faults(case, send(case, mode)) == []
