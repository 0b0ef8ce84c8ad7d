"""Charts that say themselves whether a rule of the Recommendation holds: each ends in `pass` or in `fail`."""

from pathlib import Path

import pytest

from spikard.fsm import ChartSession, SimulatedClock, StateMachine

FOLDER = Path(__file__).resolve().parents[1] / "data" / "scxml"
CASES = sorted(path.stem for path in FOLDER.glob("*.scxml"))


def _played(session: ChartSession, clock: SimulatedClock) -> str:
    # Each round takes the next delayed event; no case has as many.
    for _ in range(50):
        if session.is_final or session.next_due is None:
            break
        clock.advance((session.next_due - clock.now()).total_seconds())
        session.fire_due()
    return session.current_state


@pytest.mark.parametrize("case", CASES)
def test_rule_holds(case: str) -> None:
    clock = SimulatedClock()
    machine = StateMachine.from_file(FOLDER / f"{case}.scxml")
    session = machine.create(clock=clock)
    assert isinstance(session, ChartSession)
    assert _played(session, clock) == "pass"


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 120
