"""Random walks: how many, and what a step is in plain data."""

import os

from spikard.fsm import TransitionResult
from tests.fsm.reference_engine import Answer

# Of each machine; more of them for a night.
WALKS = int(os.environ.get("SPIKARD_FSM_WALKS", "50"))
# How many of them one test takes, so that each ends in its time.
STAGE = 200


def stages() -> list[tuple[int, int]]:
    """The stages of all walks, each with its number and how many walks are in it."""
    return [(at // STAGE, min(STAGE, WALKS - at)) for at in range(0, WALKS, STAGE)]


OUTCOMES = {
    "TerminalStateError": "terminal",
    "UndefinedTriggerError": "unhandled",
    "InvalidTransitionError": "unhandled",
    "GuardRejectedError": "rejected",
}


def plain(result: TransitionResult) -> Answer:
    """A result as the plain interpreter gives it."""
    if not result.success:
        return Answer(OUTCOMES[type(result.error).__name__])
    if result.metadata.get("no_op"):
        return Answer("ignored", result.target_state)
    return Answer(
        "fired",
        result.target_state,
        [action.name for action in result.on_exit_actions],
        [action.name for action in result.actions_to_execute],
        [action.name for action in result.on_enter_actions],
        result.metadata.get("_history_updates", {}),
    )
