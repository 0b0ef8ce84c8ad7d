"""Actions by name."""

import asyncio
import inspect
import logging
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from spikard.fsm.action_result import ActionResult
from spikard.fsm.errors import ActionNotFoundError

logger = logging.getLogger("spikard.fsm.actions")

AnyAction = Callable[..., Any | Awaitable[Any]]
Function = TypeVar("Function", bound=Callable[..., Any])


class ActionFunction(NamedTuple):
    """An action with what its signature says."""

    function: AnyAction
    metadata: dict[str, Any]
    is_async: bool
    accepts_kwargs: bool


class ActionRegistry:
    """The actions that machines name. May be changed and read by any number of threads."""

    def __init__(self) -> None:
        # Replaced as a whole by writers, so that readers need no lock.
        self._actions: dict[str, ActionFunction] = {}
        self._lock = threading.Lock()
        # Where `emit` sends to; to the log where there is none.
        self.event_sink: Any = None

    def copy(self) -> "ActionRegistry":
        """A registry with the same actions."""
        registry = ActionRegistry()
        registry._actions = self._actions
        registry.event_sink = self.event_sink
        return registry

    def register(self, name: str, func: AnyAction, metadata: dict[str, Any] | None = None) -> None:
        """Give an action a name, in the place of the one that had it."""
        if not name:
            raise ValueError("Action name cannot be empty")
        action = ActionFunction(func, dict(metadata or {}), _is_async(func), _accepts_kwargs(func))
        with self._lock:
            self._actions = {**self._actions, name: action}

    def decorator(
        self, name: str | None = None, metadata: dict[str, Any] | None = None
    ) -> Callable[[Function], Function]:
        """Registers the decorated function, by its own name where none is given."""

        def register(func: Function) -> Function:
            self.register(name or func.__name__, func, metadata)
            return func

        return register

    def unregister(self, name: str) -> None:
        """Forget an action."""
        with self._lock:
            self._find(name)
            self._actions = {key: action for key, action in self._actions.items() if key != name}

    def clear(self) -> None:
        """Forget all actions."""
        with self._lock:
            self._actions = {}

    def get(self, name: str) -> AnyAction:
        """The function behind a name."""
        return self._find(name).function

    def lookup(self, name: str) -> ActionFunction | None:
        """The action behind a name with what its signature says, or None."""
        return self._actions.get(name)

    def has(self, name: str) -> bool:
        """Whether the name has an action."""
        return name in self._actions

    def is_async(self, name: str) -> bool:
        """Whether the action has to be awaited."""
        action = self._actions.get(name)
        return action is not None and action.is_async

    def accepts_kwargs(self, name: str) -> bool:
        """Whether the action takes parameters, which come by keyword."""
        action = self._actions.get(name)
        return action is not None and action.accepts_kwargs

    def get_metadata(self, name: str) -> dict[str, Any]:
        """What was said of an action when it was registered."""
        action = self._actions.get(name)
        return {} if action is None else dict(action.metadata)

    def list_actions(self) -> list[str]:
        """All names."""
        return list(self._actions)

    def __len__(self) -> int:
        return len(self._actions)

    def __contains__(self, name: object) -> bool:
        return name in self._actions

    def execute(self, name: str, context: dict[str, Any], raise_on_error: bool = False) -> ActionResult:
        """Do one action; what it raises is in the result, unless it shall come through."""
        action = self._find(name)
        try:
            return ActionResult.ok(name, call_now(name, action, context))
        except Exception as error:
            if raise_on_error:
                raise
            return _failed(name, error)

    async def async_execute(self, name: str, context: dict[str, Any], raise_on_error: bool = False) -> ActionResult:
        """Do one action, which may be asynchronous."""
        action = self._find(name)
        try:
            outcome = action.function(context)
            return ActionResult.ok(name, await outcome if inspect.isawaitable(outcome) else outcome)
        except Exception as error:
            if raise_on_error:
                raise
            return _failed(name, error)

    def execute_all(
        self, actions: Sequence[str], context: dict[str, Any], stop_on_error: bool = False
    ) -> list[ActionResult]:
        """Do actions in order; one that is not registered is a failure among the others."""
        results: list[ActionResult] = []
        for name in actions:
            try:
                results.append(self.execute(name, context))
            except ActionNotFoundError as error:
                results.append(_failed(name, error))
            if stop_on_error and not results[-1].success:
                break
        return results

    async def async_execute_all(
        self, actions: Sequence[str], context: dict[str, Any], stop_on_error: bool = False
    ) -> list[ActionResult]:
        """Do actions in order, asynchronous ones as well."""
        results: list[ActionResult] = []
        for name in actions:
            try:
                results.append(await self.async_execute(name, context))
            except ActionNotFoundError as error:
                results.append(_failed(name, error))
            if stop_on_error and not results[-1].success:
                break
        return results

    def _find(self, name: str) -> ActionFunction:
        action = self._actions.get(name)
        if action is None:
            raise ActionNotFoundError(f"Action '{name}' not found", action_name=name)
        return action


def call_now(name: str, action: ActionFunction, context: dict[str, Any], params: dict[str, Any] | None = None) -> Any:
    """Call an action where nobody can await it."""
    if action.is_async:
        raise RuntimeError(f"Action '{name}' is async and cannot be executed synchronously")
    outcome = action.function(context, **params) if params else action.function(context)
    if outcome is not None and inspect.isawaitable(outcome):
        if asyncio.iscoroutine(outcome):
            outcome.close()
        raise RuntimeError(f"Action '{name}' returned an awaitable in synchronous execution")
    return outcome


def _failed(name: str, error: Exception) -> ActionResult:
    logger.warning("Action '%s' failed: %s", name, error)
    return ActionResult.fail(name, error)


def _is_async(func: AnyAction) -> bool:
    # Looks at the method of an object that can be called, not whether there is one.
    return inspect.iscoroutinefunction(func) or inspect.iscoroutinefunction(getattr(func, "__call__", None))  # noqa: B004


def _accepts_kwargs(func: AnyAction) -> bool:
    try:
        parameters = inspect.signature(func).parameters.values()
    except (TypeError, ValueError):
        return False
    return any(parameter.kind in (parameter.KEYWORD_ONLY, parameter.VAR_KEYWORD) for parameter in parameters)
