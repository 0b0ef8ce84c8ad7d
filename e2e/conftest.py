"""Which build is on trial."""

import os

import pytest

from spikard import _spikard


@pytest.fixture(scope="session", autouse=True)
def _profile() -> None:
    """With SPIKARD_PROFILE set (`.ci/test` asks for `release`) no other build will do."""
    wanted = os.environ.get("SPIKARD_PROFILE", _spikard.__profile__)
    assert _spikard.__profile__ == wanted, f"installed is the {_spikard.__profile__} build, wanted is {wanted}"


def pytest_report_header() -> str:
    """Shown at the top of a run."""
    return f"spikard: {_spikard.__profile__} build from {_spikard.__file__}"
