"""Applications served on real sockets, in each way of running."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from spikard import Spikard
from tests.served import Mode, Served

Serve = Callable[[Spikard], Served]


@pytest.fixture(params=[Mode.INLINE, Mode.EMBEDDED], ids=lambda mode: mode.value)
def mode(request: pytest.FixtureRequest) -> Mode:
    """Requests run on the loop that serves them, or are handed to a foreign loop."""
    return request.param


@pytest.fixture
def serve(mode: Mode) -> Iterator[Serve]:
    """Serves applications until the end of the test."""
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(Served(app, mode))
