"""Telling hooks what happens."""

import asyncio
import inspect
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextvars import ContextVar
from typing import Any

from spikard.fsm.hooks.protocol import TransitionHook
from spikard.fsm.plan import Plan

logger = logging.getLogger("spikard.fsm.hooks")

# One call's start, state and trigger. Threads and tasks have their own, also when they take turns on one thread.
_current: ContextVar[tuple[float, str, str]] = ContextVar("spikard_fsm_transition")


class TransitionObserver:
    """Calls hooks in the order in which they were added. What a hook raises is logged and goes no further."""

    def __init__(self) -> None:
        self._hooks: tuple[TransitionHook, ...] = ()

    @property
    def hooks(self) -> tuple[TransitionHook, ...]:
        """Whoever is told."""
        return self._hooks

    def add_hook(self, hook: TransitionHook) -> "TransitionObserver":
        """Tell this one, too."""
        self._hooks = (*self._hooks, hook)
        return self

    def remove_hook(self, hook: TransitionHook) -> None:
        """Tell this one no longer."""
        left = list(self._hooks)
        left.remove(hook)
        self._hooks = tuple(left)

    def before_process(self, entity_id: str, current_state: str, trigger: str, context: dict[str, Any]) -> None:
        """An event has come for an entity."""
        self._tell("on_before_process", entity_id, current_state, trigger, context)

    def before_transition(self, current_state: str, trigger: str, context: dict[str, Any]) -> None:
        """The clock of the transition starts."""
        _current.set((time.perf_counter(), current_state, trigger))
        self._tell("on_transition_start", current_state, trigger, context)

    def after_transition(self, result: Plan, context: dict[str, Any]) -> None:
        """The clock of the transition stops."""
        self._tell("on_transition_complete", result, _elapsed_ms(), context)

    def on_error(self, error: Exception, context: dict[str, Any]) -> None:
        """The transition raised."""
        _, state, trigger = _current.get((0.0, "unknown", "unknown"))
        self._tell("on_transition_error", error, state, trigger, context)

    async def async_before_process(
        self, entity_id: str, current_state: str, trigger: str, context: dict[str, Any]
    ) -> None:
        """As `before_process`, awaiting hooks that are coroutines."""
        await self._async_tell("on_before_process", entity_id, current_state, trigger, context)

    async def async_before_transition(self, current_state: str, trigger: str, context: dict[str, Any]) -> None:
        """As `before_transition`, awaiting hooks that are coroutines."""
        _current.set((time.perf_counter(), current_state, trigger))
        await self._async_tell("on_transition_start", current_state, trigger, context)

    async def async_after_transition(self, result: Plan, context: dict[str, Any]) -> None:
        """As `after_transition`, awaiting hooks that are coroutines."""
        await self._async_tell("on_transition_complete", result, _elapsed_ms(), context)

    async def async_on_error(self, error: Exception, context: dict[str, Any]) -> None:
        """As `on_error`, awaiting hooks that are coroutines."""
        _, state, trigger = _current.get((0.0, "unknown", "unknown"))
        await self._async_tell("on_transition_error", error, state, trigger, context)

    def _calls(self, phase: str) -> Iterator[Callable[..., Any]]:
        for hook in self._hooks:
            method = getattr(hook, phase, None)
            if method is not None:
                yield method

    def _tell(self, phase: str, *arguments: Any) -> None:
        for call in self._calls(phase):
            try:
                outcome = call(*arguments)
                if inspect.isawaitable(outcome):
                    _close(outcome)
                    raise RuntimeError("it is asynchronous, and the event is processed synchronously")
            except Exception as error:  # noqa: BLE001 - a hook only watches
                logger.warning("Hook %s failed: %s", phase, error)

    async def _async_tell(self, phase: str, *arguments: Any) -> None:
        for call in self._calls(phase):
            try:
                outcome = call(*arguments)
                if inspect.isawaitable(outcome):
                    await outcome
            except Exception as error:  # noqa: BLE001 - a hook only watches
                logger.warning("Hook %s failed: %s", phase, error)


def _elapsed_ms() -> float:
    started = _current.get((time.perf_counter(), "", ""))[0]
    return (time.perf_counter() - started) * 1000


def _close(outcome: Awaitable[Any]) -> None:
    if asyncio.iscoroutine(outcome):
        outcome.close()
