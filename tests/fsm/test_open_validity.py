"""Which of the open machines are valid, where the data is at hand: SPIKARD_FIXTURES names its directory."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from spikard.fsm import load_config, validate_config

ROOT = Path(os.environ["SPIKARD_FIXTURES"]) / "fsm" if "SPIKARD_FIXTURES" in os.environ else None
CASES: list[dict[str, Any]] = []
if ROOT is not None and ROOT.is_dir():
    CASES = [
        case for case in json.loads((ROOT / "index.json").read_text(encoding="utf-8")) if case["valid"] is not None
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test for every machine; none without the data."""
    if "machine" in metafunc.fixturenames:
        metafunc.parametrize("machine", [pytest.param(case, id=case["machine"]) for case in CASES])


if CASES:

    def test_validity(machine: dict[str, Any]) -> None:
        assert ROOT is not None
        errors = validate_config(load_config(ROOT / "machines" / machine["file"], validate=False), strict=False)
        assert machine["valid"] is (errors == []), errors
