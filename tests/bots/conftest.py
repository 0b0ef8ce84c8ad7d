"""A fake server for each test that wants one, and proof that no log of the suite holds a token."""

import logging
from collections.abc import AsyncIterator, Iterator

import pytest

from spikard.bots.testing import FakeVKTeams
from spikard.bots.testing.fake_server import TOKEN


@pytest.fixture
async def server() -> AsyncIterator[FakeVKTeams]:
    """A server whose bots are closed with it."""
    async with FakeVKTeams() as running:
        yield running


@pytest.fixture(autouse=True)
def _no_token_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.DEBUG)
    yield
    for phase in ("setup", "call"):
        for record in caplog.get_records(phase):  # type: ignore[arg-type] # a phase
            assert TOKEN not in record.getMessage(), record.name
