"""Errors: texts, codes, attributes, and their way through pickle."""

import pickle

import pytest

from spikard.errors import SpikardError
from spikard.fsm import (
    ConfigurationError,
    ErrorCode,
    ErrorPolicy,
    FSMError,
    GuardRejectedError,
    InvalidTransitionError,
    StaleVersionError,
    TerminalStateError,
    UndefinedTriggerError,
    is_transient_error,
)  # fmt: skip


def test_texts_carry_the_context() -> None:
    assert str(FSMError("no")) == "no"
    assert str(FSMError("no", {"a": 1, "b": "x"})) == "no (a=1, b='x')"
    stale = StaleVersionError("e", 1, 2)
    assert stale.message == "Stale version for entity 'e': expected 1, got 2"
    assert stale.to_dict() == {
        "type": "StaleVersionError",
        "message": stale.message,
        "code": "stale_version",
        "context": {"entity_id": "e", "expected_version": 1, "actual_version": 2},
    }
    assert issubclass(FSMError, SpikardError)


@pytest.mark.parametrize(
    "error",
    [
        ConfigurationError("bad", "states[0]"),
        GuardRejectedError("no", "s", "t", "g", context={"reason": "guards_failed"}),
        TerminalStateError("s", "t"),
        UndefinedTriggerError("no", "t", ["a"]),
        StaleVersionError("e", 1, 2),
    ],
)
def test_errors_survive_pickle(error: FSMError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert again.__dict__ == error.__dict__


def test_a_rejection_is_an_invalid_transition() -> None:
    error = GuardRejectedError("no", "s", "t", "g")
    assert isinstance(error, InvalidTransitionError)
    assert error.code is ErrorCode.GUARD_REJECTED
    assert error.code == "guard_rejected"
    assert (error.guard_name, error.current_state, error.trigger) == ("g", "s", "t")


def test_policy_follows_strictness_where_nothing_is_said() -> None:
    assert ErrorPolicy().reject_invalid_events_effective()
    assert not ErrorPolicy(strict_mode=False).strict_guard_registry_effective()
    assert ErrorPolicy(strict_mode=False, reject_invalid_events=True).reject_invalid_events_effective()
    assert ErrorPolicy(default_fallback="e").should_fallback(FSMError("x"))
    assert not ErrorPolicy().should_fallback(FSMError("x"))


def test_what_may_pass_by_itself() -> None:
    assert all(is_transient_error(error) for error in (OSError(), ConnectionError(), TimeoutError()))
    assert not any(is_transient_error(error) for error in (ValueError(), RuntimeError()))
