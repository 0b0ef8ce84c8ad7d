"""Time that stands still."""

import datetime as dt

import pytest

from spikard._spikard import hold_clock
from spikard.testing import freeze_time

NEW_YEAR = 1_893_456_000


@pytest.mark.parametrize(
    "at",
    [
        "2030-01-01T00:00:00Z",
        "2030-01-01",
        "2030-01-01T01:00:00+01:00",
        NEW_YEAR,
        float(NEW_YEAR),
        dt.datetime(2030, 1, 1),  # noqa: DTZ001 - without a zone on purpose
        dt.datetime(2030, 1, 1, tzinfo=dt.UTC),
    ],
)
def test_moments(at: dt.datetime | float | str) -> None:
    with freeze_time(at) as time:
        assert time.now == NEW_YEAR
        assert hold_clock(None) == NEW_YEAR * 10**9


def test_it_moves_when_told() -> None:
    with freeze_time(NEW_YEAR) as time:
        time.tick()
        time.tick(0.5)
        assert time.now == NEW_YEAR + 1.5
        time.move_to("2030-01-02")
        assert time.now == NEW_YEAR + 86_400


def test_within_another_one() -> None:
    with freeze_time(1000):
        with freeze_time(2000):
            pass
        assert hold_clock(None) == 1000 * 10**9
        assert hold_clock(None) is None


def test_now_by_default() -> None:
    before = dt.datetime.now(dt.UTC).timestamp()
    with freeze_time() as time:
        assert before <= time.now <= dt.datetime.now(dt.UTC).timestamp()
