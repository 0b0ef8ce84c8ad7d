"""The wheel on trial and the interpreters to try it with."""

import os
import sys
from pathlib import Path

import pytest
from wheel import Wheel

PYTHONS = os.environ.get("SPIKARD_PYTHONS", sys.executable).split()


@pytest.fixture(scope="session")
def wheel() -> Wheel:
    """The file that SPIKARD_WHEEL names; `.ci/test package` builds one."""
    path = os.environ.get("SPIKARD_WHEEL")
    assert path, "set SPIKARD_WHEEL to the wheel to check, or run `.ci/test package`"
    return Wheel(Path(path).resolve(strict=True))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes `python` with every interpreter."""
    if "python" in metafunc.fixturenames:
        names = [Path(python).parent.parent.name for python in PYTHONS]
        metafunc.parametrize("python", PYTHONS, ids=names, scope="session")
