"""What the tests of the repository itself look at."""

from pathlib import Path

import pytest

from tests.house.repository import CrateGraph, Repository


@pytest.fixture(scope="session")
def repository() -> Repository:
    """The checked-out sources."""
    return Repository(Path(__file__).resolve().parents[2])


@pytest.fixture(scope="session")
def crates(repository: Repository) -> CrateGraph:
    """The workspace as cargo sees it."""
    return repository.crate_graph()
