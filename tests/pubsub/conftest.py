"""Buses on a medium of their own."""

from collections.abc import Callable
from secrets import token_hex

import pytest

from spikard.pubsub import Bus, MemoryBus, MemoryMedium
from spikard.pubsub.redis import RedisBus
from tests.services import redis_url

MakeBus = Callable[[], Bus]

__all__ = ["redis_url"]


@pytest.fixture(params=["memory", "redis"])
def make_bus(request: pytest.FixtureRequest) -> MakeBus:
    """Another bus on the medium of this test."""
    if request.param == "memory":
        medium = MemoryMedium()
        return lambda: MemoryBus(medium)
    url, prefix = request.getfixturevalue("redis_url"), f"test-{token_hex(8)}:"
    return lambda: RedisBus(url, prefix=prefix)
