"""Doing what a plan asks for."""

import asyncio
import contextvars
import inspect
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any, cast

from spikard.fsm.action_registry import ActionRegistry
from spikard.fsm.action_result import ActionResult
from spikard.fsm.action_spec import ActionSpec
from spikard.fsm.action_steps import ActionSteps, Call, Pause, Steps, call_once, is_bare
from spikard.fsm.execution_result import ExecutionMode, ExecutionResult
from spikard.fsm.plan import Plan

logger = logging.getLogger("spikard.fsm.actions")


class ActionExecutor:
    """Carries out plans: exit actions, the transition's, then enter actions.

    A missing action is skipped, or raises when `strict`. Failures are results; `stop_on_error` leaves out what would
    have come after one.
    """

    def __init__(
        self,
        registry: ActionRegistry,
        stop_on_error: bool = False,
        log_execution: bool = True,
        default_mode: ExecutionMode = ExecutionMode.SEQUENTIAL,
        strict: bool = False,
    ) -> None:
        self.registry = registry
        self.stop_on_error = stop_on_error
        self.log_execution = log_execution
        self.default_mode = default_mode
        self.strict = strict

    def execute(self, transition_result: Plan, context: dict[str, Any]) -> ExecutionResult:
        """Carry out a plan on this thread; nothing of a transition that has failed."""
        execution = ExecutionResult(transition_result, execution_mode=ExecutionMode.SEQUENTIAL)
        if transition_result.success:
            execution.action_results = self.execute_action_specs(transition_result.all_action_specs, context)
        return self._completed(execution)

    async def async_execute(self, transition_result: Plan, context: dict[str, Any]) -> ExecutionResult:
        """Carry out a plan, in the executor's own mode."""
        return await self.async_execute_with_mode(transition_result, context, self.default_mode)

    async def async_execute_parallel(self, transition_result: Plan, context: dict[str, Any]) -> ExecutionResult:
        """Carry out a plan, all actions at once."""
        return await self.async_execute_with_mode(transition_result, context, ExecutionMode.PARALLEL)

    async def async_execute_phased(self, transition_result: Plan, context: dict[str, Any]) -> ExecutionResult:
        """Carry out a plan: exit actions at once, then the transition's, then enter actions."""
        return await self.async_execute_with_mode(transition_result, context, ExecutionMode.PHASED)

    async def async_execute_with_mode(
        self,
        transition_result: Plan,
        context: dict[str, Any],
        mode: ExecutionMode | None = None,
    ) -> ExecutionResult:
        """Carry out a plan in an order of one's choice, which is one after the other where nothing is said."""
        mode = ExecutionMode.SEQUENTIAL if mode is None else ExecutionMode(mode)
        execution = ExecutionResult(transition_result, execution_mode=mode)
        if not transition_result.success:
            return self._completed(execution)
        results = execution.action_results
        if mode is ExecutionMode.SEQUENTIAL:
            for action in transition_result.all_action_specs:
                results.append(await self.async_execute_action_spec(action, context))
                if self._stops(results[-1:]):
                    break
        else:
            for phase in _phases(transition_result, mode):
                done = await self.async_execute_action_specs_parallel(phase, context)
                results.extend(done)
                if self._stops(done):
                    break
        return self._completed(execution)

    def execute_action_spec(
        self, action: ActionSpec, context: dict[str, Any], *, branch_enclosing_depth: int = 0
    ) -> ActionResult:
        """Do one action on this thread."""
        # Most actions are a function and nothing else: for these there are no steps to take.
        found = self.registry.lookup(action.name) if is_bare(action) else None
        if found is not None and not found.is_async and (found.accepts_kwargs or not action.params):
            return self._logged(call_once(action, found, context))
        return self._logged(_drive(self._steps.of(action, context, branch_enclosing_depth)))

    async def async_execute_action_spec(
        self, action: ActionSpec, context: dict[str, Any], *, branch_enclosing_depth: int = 0
    ) -> ActionResult:
        """Do one action in the event loop. One with a time limit that cannot be awaited gets a thread of its own."""
        return self._logged(await _async_drive(self._steps.of(action, context, branch_enclosing_depth)))

    def execute_action_specs(self, actions: Sequence[ActionSpec], context: dict[str, Any]) -> list[ActionResult]:
        """Do actions in order."""
        results: list[ActionResult] = []
        for action in actions:
            results.append(self.execute_action_spec(action, context))
            if self._stops(results[-1:]):
                break
        return results

    async def async_execute_action_specs_parallel(
        self, actions: Sequence[ActionSpec], context: dict[str, Any]
    ) -> list[ActionResult]:
        """Do actions at once; results are in the order of the actions."""
        return list(await asyncio.gather(*(self.async_execute_action_spec(action, context) for action in actions)))

    def execute_specific(self, action_names: Sequence[str], context: dict[str, Any]) -> list[ActionResult]:
        """Do actions by their names."""
        return self.execute_action_specs([ActionSpec(name) for name in action_names], context)

    async def async_execute_specific_parallel(
        self, action_names: Sequence[str], context: dict[str, Any]
    ) -> list[ActionResult]:
        """Do actions by their names, at once."""
        return await self.async_execute_action_specs_parallel([ActionSpec(name) for name in action_names], context)

    def validate_actions_exist(self, transition_result: Plan) -> list[str]:
        """The names in a plan that nobody has registered."""
        return [
            action.name
            for action in transition_result.all_action_specs
            if action.effect is None and not action.name.startswith("_") and not self.registry.has(action.name)
        ]

    @property
    def _steps(self) -> ActionSteps:
        return ActionSteps(self.registry, strict=self.strict, stop_on_error=self.stop_on_error)

    def _stops(self, results: Sequence[ActionResult]) -> bool:
        return self.stop_on_error and not all(result.success for result in results)

    def _logged(self, result: ActionResult) -> ActionResult:
        if self.log_execution:
            if result.error is not None:
                logger.warning("Action '%s' failed: %s", result.action_name, result.error)
            elif result.is_skipped and result.result == "not_registered":
                logger.warning("Action '%s' not registered, skipping", result.action_name)
            elif logger.isEnabledFor(logging.DEBUG):
                logger.debug("Action '%s' %s", result.action_name, result.status.value)
        return result

    def _completed(self, execution: ExecutionResult) -> ExecutionResult:
        execution.completed_at = datetime.now(UTC)
        return execution


def _phases(plan: Plan, mode: ExecutionMode) -> list[tuple[ActionSpec, ...]]:
    if mode is ExecutionMode.PARALLEL:
        return [tuple(plan.all_action_specs)]
    return [tuple(plan.on_exit_actions), tuple(plan.actions_to_execute), tuple(plan.on_enter_actions)]


def _drive(steps: Steps) -> ActionResult:
    try:
        step = next(steps)
        while True:
            try:
                answer = _do(step)
            except Exception as error:  # noqa: BLE001 - the steps know what to make of it
                step = steps.throw(error)
            else:
                step = steps.send(answer)
    except StopIteration as done:
        return cast("ActionResult", done.value)


async def _async_drive(steps: Steps) -> ActionResult:
    try:
        step = next(steps)
        while True:
            try:
                answer = await _async_do(step)
            except Exception as error:  # noqa: BLE001 - the steps know what to make of it
                step = steps.throw(error)
            else:
                step = steps.send(answer)
    except StopIteration as done:
        return cast("ActionResult", done.value)


def _do(step: Call | Pause) -> Any:
    if isinstance(step, Call):
        return _call(step)
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        time.sleep(step.seconds)
    else:
        raise RuntimeError(
            f"Action '{step.name}' has to wait before its next attempt, and this thread belongs to an event loop: "
            "execute it with async_execute"
        )
    return None


def _call(step: Call) -> Any:
    if step.timeout is None or step.is_async:
        return step.now()
    try:
        return _in_thread(step.now).result(step.timeout)
    except TimeoutError as error:
        raise _too_late(step) from error


async def _async_do(step: Call | Pause) -> Any:
    return await (_async_call(step) if isinstance(step, Call) else asyncio.sleep(step.seconds))


async def _async_call(step: Call) -> Any:
    try:
        async with asyncio.timeout(step.timeout):
            # An action that cannot be awaited would hold the loop longer than its limit: its thread is left behind.
            if step.timeout is not None and not step.is_async:
                outcome = await asyncio.wrap_future(_in_thread(step.awaited))
            else:
                outcome = step.awaited()
            return await outcome if inspect.isawaitable(outcome) else outcome
    except TimeoutError as error:
        if step.timeout is None:
            raise
        raise _too_late(step) from error


def _too_late(step: Call) -> TimeoutError:
    return TimeoutError(f"Action '{step.name}' timed out after {step.timeout}s")


def _in_thread(function: Callable[[], Any]) -> "Future[Any]":
    """Runs a function on a thread that nobody waits for at the end of the program."""
    future: Future[Any] = Future()
    context = contextvars.copy_context()

    def run() -> None:
        # From here on nobody can cancel it, so that setting its outcome cannot fail.
        if not future.set_running_or_notify_cancel():
            return
        try:
            outcome = context.run(function)
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits
            future.set_exception(error)
        else:
            future.set_result(outcome)

    threading.Thread(target=run, name="spikard-fsm-action", daemon=True).start()
    return future
