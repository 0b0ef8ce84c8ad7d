"""Hooks: told in order, harmless, timed apart."""

import asyncio
import json
import logging
from types import SimpleNamespace

import pytest

from spikard.fsm import (
    DwellTimeTracker,
    FSMError,
    LoggingHook,
    MetricsCollector,
    StructuredLoggingHook,
    TransitionHook,
    TransitionObserver,
)  # fmt: skip
from tests.fsm.test_actions import Plan

DONE, REFUSED = Plan(), Plan(success=False, target_state=None)
REFUSED.error = FSMError("no")


class Recorder:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []

    def on_before_process(self, *arguments) -> None:
        self.told.append(("before", *arguments))

    def on_transition_start(self, *arguments) -> None:
        self.told.append(("start", *arguments))

    def on_transition_complete(self, result, duration_ms, context) -> None:
        self.told.append(("complete", result.trigger, duration_ms))

    async def on_transition_error(self, error, *arguments) -> None:
        self.told.append(("error", str(error), *arguments))


class Broken(Recorder):
    """Raises."""

    def on_before_process(self, *arguments) -> None:
        raise ValueError("broken")


async def test_hooks_are_told_and_cannot_do_harm(caplog: pytest.LogCaptureFixture) -> None:
    recorder, broken = Recorder(), Broken()
    observer = TransitionObserver().add_hook(broken).add_hook(recorder)
    assert isinstance(recorder, TransitionHook)
    observer.before_process("e", "a", "t", {})
    observer.before_transition("a", "t", {"x": 1})
    observer.after_transition(DONE, {})
    observer.on_error(ValueError("sync"), {})
    await observer.async_on_error(ValueError("async"), {})
    assert "Hook on_before_process failed: broken" in caplog.text
    assert "Hook on_transition_error failed: it is asynchronous" in caplog.text
    assert [told[0] for told in recorder.told] == ["before", "start", "complete", "error"]
    assert recorder.told[-1] == ("error", "async", "a", "t", {})
    observer.remove_hook(broken)
    assert observer.hooks == (recorder,)


async def test_tasks_that_take_turns_have_times_of_their_own() -> None:
    recorder = Recorder()
    observer = TransitionObserver().add_hook(recorder)
    first_started, second_done = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        await observer.async_before_transition("a", "first", {})
        first_started.set()
        await second_done.wait()
        await observer.async_on_error(ValueError(), {})

    async def second() -> None:
        await first_started.wait()
        await observer.async_before_transition("b", "second", {})
        second_done.set()

    await asyncio.gather(first(), second())
    assert recorder.told[-1][2:4] == ("a", "first")


def test_lines(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for hook in (LoggingHook(), StructuredLoggingHook()):
            hook.on_before_process("e", "a", "t", {})
            hook.on_transition_start("a", "t", {})
            hook.on_transition_complete(DONE, 1.5, {})
            hook.on_transition_complete(REFUSED, 1.5, {})
            hook.on_transition_error(ValueError("q"), "a", "t", {})
    assert "Transition completed: a -> b (trigger=t, duration=1.50ms)" in caplog.messages
    assert "Transition failed: state=a trigger=t error=no (duration=1.50ms)" in caplog.messages
    assert json.loads(caplog.messages[-1]) == {
        "event": "transition_error", "source_state": "a", "trigger": "t",
        "error_type": "ValueError", "error_message": "q",
    }  # fmt: skip


def test_figures() -> None:
    metrics = MetricsCollector()
    assert metrics.get_summary()["duration"] == {}
    for number in range(1, 5):
        metrics.on_transition_complete(REFUSED if number % 2 else DONE, float(number), {})
    metrics.on_transition_error(ValueError(), "a", "t", {})
    summary = metrics.get_summary()
    assert (summary["total_transitions"], summary["successful"], summary["errors"]) == (4, 2, 1)
    assert summary["by_target_state"] == {"b": 2}
    assert summary["duration"] == {
        "min_ms": 1.0, "max_ms": 4.0, "avg_ms": 2.5, "p50_ms": 3.0, "p95_ms": 4.0, "p99_ms": 4.0,
    }  # fmt: skip
    metrics.reset()
    assert metrics.get_summary()["total_transitions"] == 0


def test_stays() -> None:
    tracker = DwellTimeTracker(max_history=2)
    assert tracker.get_dwell_time("e") is None
    tracker.on_before_process("e", "a", "t", {})
    tracker.on_transition_complete(DONE, 1, {"_entity_id": "e"})
    assert tracker.get_dwell_time("e") >= 0
    assert set(tracker.get_avg_dwell_by_state()) == {"a"}
    for number in range(3):
        tracker.on_before_process(f"e{number}", "a", "t", {})
    assert tracker.get_dwell_time("e") is None


def test_stays_are_milliseconds_and_those_that_nobody_saw_begin_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter((10.0, 12.5, 12.5, 13.0))
    monkeypatch.setattr("spikard.fsm.hooks.dwell.time", SimpleNamespace(monotonic=lambda: next(moments)))
    tracker = DwellTimeTracker()
    tracker.on_transition_complete(DONE, 1, {"_entity_id": "e"})
    assert tracker.get_avg_dwell_by_state() == {}
    tracker.on_transition_complete(Plan(True, "b", "c"), 1, {"_entity_id": "e"})
    assert tracker.get_avg_dwell_by_state() == {"b": 2500.0}
    assert tracker.get_dwell_time("e") == 500.0


def test_logging_hooks_tell_where_they_write() -> None:
    hook = LoggingHook(logging.INFO, "audit")
    assert (hook.log_level, hook.logger.name) == (logging.INFO, "audit")
