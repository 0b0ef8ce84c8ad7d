"""Actions: registered, carried out, retried, limited in time."""

import asyncio
import threading
from dataclasses import dataclass, field
from typing import Any

import pytest

from spikard.fsm import (
    MAX_BRANCH_DEPTH,
    ActionExecutor,
    ActionNotFoundError,
    ActionRegistry,
    ActionResult,
    ActionSpec,
    ActionStatus,
    ExecutionMode,
    action_results_to_payload,
)  # fmt: skip


@dataclass
class Plan:
    """A computed transition."""

    success: bool = True
    source_state: str = "a"
    target_state: str | None = "b"
    trigger: str = "t"
    on_exit_actions: tuple[ActionSpec, ...] = ()
    actions_to_execute: tuple[ActionSpec, ...] = ()
    on_enter_actions: tuple[ActionSpec, ...] = ()
    error: None = None
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def all_action_specs(self) -> tuple[ActionSpec, ...]:
        return self.on_exit_actions + self.actions_to_execute + self.on_enter_actions


def plan(*names: str, leave: str = "one", enter: str = "one") -> Plan:
    specs = tuple(ActionSpec(name) for name in names)
    return Plan(on_exit_actions=(ActionSpec(leave),), actions_to_execute=specs, on_enter_actions=(ActionSpec(enter),))


@pytest.fixture
def actions() -> ActionRegistry:
    registry = ActionRegistry()

    @registry.decorator(metadata={"by": "test"})
    def one(ctx):
        ctx["n"] = ctx.get("n", 0) + 1
        return 1

    @registry.decorator()
    async def later(ctx):
        return 2

    @registry.decorator()
    def broken(ctx):
        raise ValueError("broken")

    @registry.decorator()
    def flaky(ctx):
        ctx["tries"] = ctx.get("tries", 0) + 1
        if ctx["tries"] < 3:
            raise ConnectionError("net")
        return ctx["tries"]

    @registry.decorator()
    def words(ctx, *, n=1):
        return n

    @registry.decorator()
    def hands_out(ctx):
        return later(ctx)

    return registry


async def test_names_and_signatures(actions: ActionRegistry) -> None:
    assert actions.get_metadata("one") == {"by": "test"}
    assert actions.get_metadata("zz") == {}
    assert actions.is_async("later")
    assert actions.accepts_kwargs("words")
    assert not actions.accepts_kwargs("one")
    assert actions.execute("one", {}) == ActionResult.ok("one", 1)
    assert await actions.async_execute("hands_out", {}) == ActionResult.ok("hands_out", 2)
    with pytest.raises(ActionNotFoundError, match="Action 'zz' not found"):
        actions.execute("zz", {})
    with pytest.raises(ValueError, match="broken"):
        actions.execute("broken", {}, raise_on_error=True)
    results = actions.execute_all(["one", "broken", "zz", "one"], {})
    assert [result.status.value for result in results] == ["ok", "failed", "failed", "ok"]
    assert len(await actions.async_execute_all(["one", "broken", "one"], {}, stop_on_error=True)) == 2


@pytest.mark.parametrize(("name", "text"), [("later", "is async and cannot"), ("hands_out", "returned an awaitable")])
def test_what_has_to_be_awaited_fails_where_nobody_can(actions: ActionRegistry, name: str, text: str) -> None:
    for result in (actions.execute(name, {}), ActionExecutor(actions).execute_action_spec(ActionSpec(name), {})):
        assert result.status is ActionStatus.FAILED
        assert text in str(result.error)


async def test_order_and_modes(actions: ActionRegistry) -> None:
    executor = ActionExecutor(actions)
    for mode in ExecutionMode:
        execution = await executor.async_execute_with_mode(plan("words", enter="later"), {}, mode)
        assert [result.action_name for result in execution.action_results] == ["one", "words", "later"]
        assert execution.execution_mode is mode
        assert execution.all_succeeded
        assert execution.duration_ms >= 0
    execution = executor.execute(plan("broken", "zz"), {})
    assert execution.action_count == 4
    assert (execution.failed_actions, execution.skipped_actions) == (["broken"], ["zz"])
    assert execution.succeeded_actions == ["one", "one"]
    assert not execution.all_succeeded
    assert executor.execute(Plan(success=False, actions_to_execute=(ActionSpec("one"),)), {}).action_results == []


async def test_an_error_can_stop_what_comes_after(actions: ActionRegistry) -> None:
    executor = ActionExecutor(actions, stop_on_error=True)
    failing = plan("broken", "words")
    for execution in (executor.execute(failing, {}), await executor.async_execute(failing, {})):
        assert [result.action_name for result in execution.action_results] == ["one", "broken"]
    phased = await executor.async_execute_phased(failing, {})
    assert [result.action_name for result in phased.action_results] == ["one", "broken", "words"]


async def test_missing_actions(actions: ActionRegistry) -> None:
    assert ActionExecutor(actions).execute_action_spec(ActionSpec("zz"), {}) == ActionResult.skipped("zz")
    strict = ActionExecutor(actions, strict=True)
    with pytest.raises(ActionNotFoundError, match=r"not registered \(strict mode\)"):
        strict.execute_specific(["zz"], {})
    with pytest.raises(ActionNotFoundError):
        await strict.async_execute_parallel(plan("zz"), {})
    assert strict.validate_actions_exist(plan("zz", "one", "zz")) == ["zz", "zz"]


def test_parameters_come_by_keyword(actions: ActionRegistry) -> None:
    executor = ActionExecutor(actions)
    assert executor.execute_action_spec(ActionSpec("words", params={"n": 3}), {}).result == 3
    refused = executor.execute_action_spec(ActionSpec("one", params={"n": 3}), {})
    assert isinstance(refused.error, TypeError)
    assert "does not accept keyword arguments" in str(refused.error)


async def test_only_what_may_pass_by_itself_is_tried_again(actions: ActionRegistry) -> None:
    executor, spec = ActionExecutor(actions), ActionSpec("flaky", retry=3, retry_backoff=0.001)
    assert (await executor.async_execute_action_spec(spec, {})).result == 3
    assert executor.execute_action_spec(ActionSpec("broken", retry=3), {}).status is ActionStatus.FAILED
    context: dict[str, Any] = {}
    given_up = await executor.async_execute_action_spec(ActionSpec("flaky", retry=1, retry_backoff=0.001), context)
    assert isinstance(given_up.error, ConnectionError)
    assert context["tries"] == 2


def test_legacy_25_retries_wait_on_a_thread_of_their_own(actions: ActionRegistry) -> None:
    spec = ActionSpec("flaky", retry=3, retry_backoff=0.001)
    assert ActionExecutor(actions).execute_action_spec(spec, {}).result == 3


async def test_legacy_25_a_sync_retry_does_not_hold_the_loop(actions: ActionRegistry) -> None:
    refused = ActionExecutor(actions).execute_action_spec(ActionSpec("flaky", retry=3), {})
    assert "belongs to an event loop: execute it with async_execute" in str(refused.error)


async def test_legacy_25_a_time_limit_holds_for_what_cannot_be_awaited(actions: ActionRegistry) -> None:
    release = threading.Event()
    actions.register("stuck", lambda ctx: release.wait(20))
    executor, spec = ActionExecutor(actions), ActionSpec("stuck", timeout=0.02)
    loop_runs = asyncio.ensure_future(asyncio.sleep(0))
    result = await executor.async_execute_action_spec(spec, {})
    assert loop_runs.done()
    assert str(result.error) == "Action 'stuck' timed out after 0.02s"
    result = await asyncio.to_thread(executor.execute_action_spec, spec, {})
    assert isinstance(result.error, TimeoutError)
    release.set()


async def test_a_time_limit_for_coroutines(actions: ActionRegistry) -> None:
    async def endless(ctx):
        await asyncio.Event().wait()

    actions.register("endless", endless)
    result = await ActionExecutor(actions).async_execute_action_spec(ActionSpec("endless", timeout=0.01), {})
    assert str(result.error) == "Action 'endless' timed out after 0.01s"


def test_a_malformed_branch_fails(actions: ActionRegistry) -> None:
    executor = ActionExecutor(actions)
    nothing = ActionSpec("_branch", params={"when": None, "then": ["one"]})
    assert "branch requires when" in str(executor.execute_action_spec(nothing, {}).error)
    text = ActionSpec("_branch", params={"when": "true", "then": "one"})
    assert "must be lists" in str(executor.execute_action_spec(text, {}).error)
    deep = executor.execute_action_spec(text, {}, branch_enclosing_depth=MAX_BRANCH_DEPTH)
    assert f"branch nesting exceeds {MAX_BRANCH_DEPTH}" in str(deep.error)


def test_results_as_plain_data() -> None:
    results = [ActionResult.ok("a", 3), ActionResult.fail("b", ValueError("x")), ActionResult.skipped("c", "why")]
    assert action_results_to_payload(results) == [
        {"name": "a", "status": "ok", "success": True, "skipped": False, "result": 3},
        {"name": "b", "status": "failed", "success": False, "skipped": False, "error": "x"},
        {"name": "c", "status": "skipped", "success": True, "skipped": True, "result": "why"},
    ]
