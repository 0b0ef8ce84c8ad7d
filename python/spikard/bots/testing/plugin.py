"""Fixtures of pytest: `bot_tester` and `fake_vkteams`. Nothing of bots is loaded before a test asks for one."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from spikard.bots.testing.fake_server import FakeVKTeams
    from spikard.bots.testing.tester import BotTester


@pytest.fixture
def bot_tester() -> "Callable[..., BotTester]":
    """`BotTester`, to be called with a dispatcher: `async with bot_tester(dp) as t:`."""
    from spikard.bots.testing.tester import BotTester

    return BotTester


@pytest.fixture
def fake_vkteams() -> "FakeVKTeams":
    """A server that is not started yet: `async with fake_vkteams as server:`."""
    from spikard.bots.testing.fake_server import FakeVKTeams

    return FakeVKTeams()


__all__ = ["bot_tester", "fake_vkteams"]
