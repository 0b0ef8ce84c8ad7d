"""How one action of a plan is done, apart from who waits: what to call and when to pause come out as steps.

The executor drives the steps on a thread or in an event loop; conditions, branches, effects and retries are here,
once for both.
"""

import inspect
import random
from collections.abc import Callable, Generator, Mapping
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from spikard.fsm.action_registry import ActionFunction, ActionRegistry, call_now
from spikard.fsm.action_result import ActionResult
from spikard.fsm.action_spec import ActionSpec
from spikard.fsm.check_spec import CheckSpec
from spikard.fsm.checks import evaluate_check
from spikard.fsm.clock import Clock
from spikard.fsm.delivery import current_delivery, idempotency_key
from spikard.fsm.effects import apply_effect
from spikard.fsm.errors import ActionNotFoundError, is_transient_error
from spikard.fsm.expressions import evaluate_bool_expr
from spikard.fsm.templates import render_template, render_template_value

if TYPE_CHECKING:
    from collections.abc import Awaitable

MAX_BRANCH_DEPTH = 8
MAX_PAUSE_SECONDS = 300.0

# Delivered for an orchestrator; whoever only executes a plan has nobody to deliver to.
DELIVERED = frozenset({"_raise", "_send", "_cancel", "_emit"})


class Call(NamedTuple):
    """Something to call: on a thread that may wait, or in an event loop."""

    name: str
    now: Callable[[], Any]
    awaited: "Callable[[], Awaitable[Any] | Any]"
    is_async: bool
    timeout: float | None


class Pause(NamedTuple):
    """A while before the next attempt."""

    name: str
    seconds: float


Steps = Generator[Call | Pause, Any, ActionResult]


class ActionSteps:
    """The steps of actions against one registry."""

    def __init__(
        self, registry: ActionRegistry, *, strict: bool, stop_on_error: bool, clock: Clock | None = None
    ) -> None:
        self.registry = registry
        self.strict = strict
        self.stop_on_error = stop_on_error
        self.clock = clock

    def of(self, action: ActionSpec, context: dict[str, Any], depth: int = 0) -> Steps:
        """The steps of one action; what it raises ends in its result."""
        name = action.name
        if action.when is not None:
            try:
                is_wanted = holds(action.when, context)
            except Exception as error:  # noqa: BLE001 - a condition is part of the action
                return ActionResult.fail(name, error)
            if not is_wanted:
                return ActionResult.skipped(name, "when_condition_false")
        if action.effect is not None:
            return _effect(action, context, self.clock)
        if name == "_branch":
            return (yield from self._branch(action, context, depth))
        if name in DELIVERED:
            return (yield from self._deliver(action, context))
        call = self._call(action, context)
        return call if isinstance(call, ActionResult) else (yield from _attempts(action, call))

    def _deliver(self, action: ActionSpec, context: dict[str, Any]) -> Steps:
        delivery = current_delivery.get()
        if delivery is None or action.name == "_cancel":
            return ActionResult.skipped(action.name, "delivered_by_orchestrator")
        if action.name != "_emit":
            delivery.messages.append((delivery.key, action))
            return ActionResult.ok(action.name)
        try:
            call = _emit(action, context, self.registry.event_sink, delivery.key)
        except Exception as error:  # noqa: BLE001 - ends in the result
            return ActionResult.fail(action.name, error)
        return (yield from _attempts(action, call))

    def _call(self, action: ActionSpec, context: dict[str, Any]) -> Call | ActionResult:
        name, params = action.name, action.params
        if name == "_http":
            return _http(action, context)
        if name == "_code":
            return _code(action, context)
        found = self.registry.lookup(name)
        if found is None:
            if self.strict:
                raise ActionNotFoundError(f"Action '{name}' not registered (strict mode)", action_name=name)
            return ActionResult.skipped(name)
        if params and not found.accepts_kwargs:
            return ActionResult.fail(
                name, TypeError(f"Action '{name}' has params but its callable does not accept keyword arguments")
            )
        return _registered(action, found, context)

    def _branch(self, action: ActionSpec, context: dict[str, Any], depth: int) -> Steps:
        name, params = action.name, action.params
        try:
            chosen = _chosen(params, context, depth)
        except Exception as error:  # noqa: BLE001 - a condition is part of the action
            return ActionResult.fail(name, error)
        last = ActionResult.ok(name, {"branch": "no_steps"})
        failed: ActionResult | None = None
        delivery = current_delivery.get()
        for number, spec in enumerate(chosen):
            with nullcontext() if delivery is None else delivery.part(number):
                last = yield from self.of(spec, context, depth + 1)
            if not last.success:
                failed = failed or last
                if self.stop_on_error:
                    break
        return failed or last


def _chosen(params: Mapping[str, Any], context: dict[str, Any], depth: int) -> list[ActionSpec]:
    if depth >= MAX_BRANCH_DEPTH:
        raise ValueError(f"branch nesting exceeds {MAX_BRANCH_DEPTH}")
    condition = params.get("when")
    if condition is None:
        raise ValueError("branch requires when")
    then, otherwise = params.get("then") or [], params.get("else") or []
    if not isinstance(then, (list, tuple)) or not isinstance(otherwise, (list, tuple)):
        raise ValueError("branch then/else must be lists")
    if isinstance(condition, Mapping):
        condition = CheckSpec.from_config(condition.get("check", condition))
    return [
        item if isinstance(item, ActionSpec) else ActionSpec.from_config(item)
        for item in (then if holds(condition, context) else otherwise)
    ]


def is_bare(action: ActionSpec) -> bool:
    """Whether an action is tried once, in any case and without a limit of time, and has no form of its own."""
    is_once = action.when is None and not action.retry and action.timeout is None
    return is_once and action.effect is None and action.name[:1] != "_"


def call_once(action: ActionSpec, found: ActionFunction, context: dict[str, Any]) -> ActionResult:
    """Call a function that need not be awaited; what it raises ends in the result."""
    try:
        outcome = call_now(action.name, found, context, action.params)
    except Exception as error:  # noqa: BLE001 - ends in the result
        return ActionResult.fail(action.name, error)
    return outcome if isinstance(outcome, ActionResult) else ActionResult(True, action.name, outcome)


def _attempts(action: ActionSpec, call: Call) -> Generator[Call | Pause, Any, ActionResult]:
    for attempt in range(action.retry + 1):
        try:
            if attempt:
                # Full jitter: those who failed together do not come back together.
                longest = min(action.retry_backoff * 2 ** (attempt - 1), MAX_PAUSE_SECONDS)
                yield Pause(action.name, random.uniform(0, longest))  # noqa: S311 - no secret
            outcome = yield call
        except Exception as error:  # noqa: BLE001 - ends in the result
            if attempt == action.retry or not is_transient_error(error):
                return ActionResult.fail(action.name, error)
        else:
            return outcome if isinstance(outcome, ActionResult) else ActionResult.ok(action.name, outcome)
    return ActionResult.fail(action.name, ValueError(f"Action '{action.name}' has a negative retry: {action.retry}"))


def _registered(action: ActionSpec, found: ActionFunction, context: dict[str, Any]) -> Call:
    name, params = action.name, action.params
    return Call(
        name,
        lambda: call_now(name, found, context, params),
        lambda: found.function(context, **params),
        found.is_async,
        action.timeout,
    )


def _http(action: ActionSpec, context: dict[str, Any]) -> Call:
    from spikard.fsm.http_actions import async_execute_http_action, execute_http_action

    params, key = action.params, idempotency_key()
    # On the sync path the call itself keeps the time limit that stands beside it; a loop ends the awaited one.
    bounded = params if action.timeout is None or "timeout" in params else {**params, "timeout": action.timeout}
    return Call(
        action.name,
        lambda: _raising(execute_http_action(bounded, context, idempotency_key=key)),
        lambda: _awaited_http(async_execute_http_action(params, context, idempotency_key=key)),
        True,
        action.timeout,
    )


async def _awaited_http(outcome: "Awaitable[ActionResult]") -> ActionResult:
    return _raising(await outcome)


def _emit(action: ActionSpec, context: dict[str, Any], sink: Any, key: str) -> Call:
    from spikard.fsm.sinks import LoggingEventSink

    params, name = action.params, action.name
    topic = render_template(str(params["topic"]), context)
    if params.get("payload") is None:
        payload = {field: value for field, value in context.items() if not field.startswith("_")}
    else:
        payload = render_template_value(params["payload"], context)
    event = context.get("_event")
    metadata = {
        "timestamp": datetime.now(UTC).isoformat(),
        "state": context.get("new_status"),
        "trigger": getattr(event, "trigger", None),
        "entity_id": context.get("_entity_id"),
        "idempotency_key": key,
    }
    send = (sink or LoggingEventSink()).send
    function = ActionFunction(lambda _: send(topic, payload, metadata), {}, inspect.iscoroutinefunction(send), False)
    return Call(
        name, lambda: call_now(name, function, context), lambda: function.function(context), function.is_async,
        action.timeout,
    )  # fmt: skip


def _code(action: ActionSpec, context: dict[str, Any]) -> Call:
    from spikard.fsm.code_actions import execute_code_action

    params = action.params if action.timeout is None else {**action.params, "timeout": action.timeout}

    def run() -> ActionResult:
        return execute_code_action(params, context)

    # The time limit is kept by the process the code runs in.
    return Call(action.name, run, run, False, None)


def _raising(result: ActionResult) -> ActionResult:
    """Lets a failure of the network come out as an exception, so that it is tried again."""
    if result.error is not None and not result.success and is_transient_error(result.error):
        raise result.error
    return result


def _effect(action: ActionSpec, context: dict[str, Any], clock: Clock | None) -> ActionResult:
    try:
        apply_effect(action.effect or "", action.params, context, clock=clock)
    except Exception as error:  # noqa: BLE001 - ends in the result
        return ActionResult.fail(action.name, error)
    return ActionResult.ok(action.name)


def holds(condition: Any, context: dict[str, Any]) -> bool:
    """Whether a condition is met; none always is."""
    if condition is None:
        return True
    if isinstance(condition, str):
        return bool(evaluate_bool_expr(condition, context))
    return bool(evaluate_check(condition, context))
