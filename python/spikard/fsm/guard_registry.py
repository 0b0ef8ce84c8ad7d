"""Guards by name."""

import asyncio
import inspect
import logging
import threading
from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from typing import Any, TypeVar, cast

from spikard.fsm.checks import evaluate_check
from spikard.fsm.dotted_name import import_dotted
from spikard.fsm.errors import GuardExecutionError, GuardNotFoundError, GuardRejectedError, is_transient_error
from spikard.fsm.expressions import evaluate_bool_expr
from spikard.fsm.guard_function import AnyGuard, GuardFunction
from spikard.fsm.guard_result import GuardResult
from spikard.fsm.guard_spec import GuardSpec
from spikard.fsm.transition import Transition

logger = logging.getLogger("spikard.fsm.guards")

Function = TypeVar("Function", bound=Callable[..., Any])
Records = list[tuple[str, bool]]
# Both yield what has to be awaited, with the guard's name, and are sent its answer.
Evaluation = Generator[tuple[str, Awaitable[Any]], Any, GuardResult]
Steps = Generator[tuple[str, Awaitable[Any]], Any, bool]


class GuardRegistry:
    """The guards that machines name. May be changed and read by any number of threads."""

    def __init__(self, *, strict: bool = True) -> None:
        self.strict = strict
        # Replaced as a whole by writers, so that readers need no lock.
        self._guards: dict[str, GuardFunction] = {}
        self._imported: dict[str, GuardFunction | None] = {}
        self._lock = threading.Lock()

    def register(self, name: str, func: AnyGuard) -> None:
        """Give a guard a name, in the place of the one that had it."""
        if not name:
            raise ValueError("Guard name cannot be empty")
        with self._lock:
            self._guards = {**self._guards, name: GuardFunction(func)}

    def decorator(self, name: str | None = None) -> Callable[[Function], Function]:
        """Registers the decorated function, by its own name where none is given."""

        def register(func: Function) -> Function:
            self.register(name or func.__name__, func)
            return func

        return register

    def unregister(self, name: str) -> None:
        """Forget a guard."""
        with self._lock:
            self._find(name)
            self._guards = {key: guard for key, guard in self._guards.items() if key != name}

    def clear(self) -> None:
        """Forget all guards."""
        with self._lock:
            self._guards = {}

    def get(self, name: str) -> AnyGuard:
        """The function behind a name."""
        return self._find(name).function

    def has(self, name: str) -> bool:
        """Whether the name has a guard."""
        return name in self._guards

    def is_async(self, name: str) -> bool:
        """Whether the guard has to be awaited."""
        guard = self._guards.get(name)
        return guard is not None and guard.is_async

    def list_guards(self) -> list[str]:
        """All names."""
        return list(self._guards)

    def __len__(self) -> int:
        return len(self._guards)

    def __contains__(self, name: object) -> bool:
        return name in self._guards

    def resolve(self, name: str) -> GuardFunction | None:
        """The guard that a machine means by a name: registered, or imported once when the name has a dot.

        None stands for one that is missing where the registry is lenient; it counts as passed.
        """
        guard = self._guards.get(name)
        if guard is not None:
            return guard
        is_place = "." in name or ":" in name
        if is_place:
            if name not in self._imported:
                found = import_dotted(name)
                self._imported[name] = GuardFunction(found) if callable(found) else None
            guard = self._imported[name]
        if guard is None and self.strict:
            how = "could not be imported" if is_place else "not registered"
            raise GuardNotFoundError(f"Guard '{name}' {how}", guard_name=name)
        return guard

    def copy(self, *, strict: bool) -> "GuardRegistry":
        """A registry with the same guards."""
        registry = GuardRegistry(strict=strict)
        registry._guards = self._guards
        return registry

    def passes(self, guard: GuardSpec, context: dict[str, Any]) -> bool:
        """Ask one guard as machines write it."""
        return _run_sync(self._all((guard,), context, True)).passed

    async def async_passes(self, guard: GuardSpec, context: dict[str, Any]) -> bool:
        """Ask one guard as machines write it, which may be asynchronous."""
        return (await _run_async(self._all((guard,), context, True))).passed

    def evaluate(self, name: str, context: dict[str, Any]) -> bool:
        """Ask one guard: its answer as it is; what it raises comes through."""
        answer = self._find(name)(context)
        if inspect.isawaitable(answer):
            raise _refusal(name, answer)
        return answer

    async def async_evaluate(self, name: str, context: dict[str, Any]) -> bool:
        """Ask one guard, which may be asynchronous: its answer as it is; what it raises comes through."""
        answer = self._find(name)(context)
        return await answer if inspect.isawaitable(answer) else answer

    def evaluate_all(
        self, guards: Sequence[str] | None, context: dict[str, Any], fail_fast: bool = True
    ) -> GuardResult:
        """Ask several guards by name, up to the first that refuses unless all are wanted; None has none to ask."""
        return _run_sync(self._named(guards or (), context, fail_fast))

    async def async_evaluate_all(
        self, guards: Sequence[GuardSpec] | Sequence[str] | None, context: dict[str, Any], fail_fast: bool = True
    ) -> GuardResult:
        """Ask several guards, of any kind, by name or as machines write them; None has none to ask."""
        guards = guards or ()
        if any(isinstance(guard, GuardSpec) for guard in guards):
            return await _run_async(self._all(cast("Sequence[GuardSpec]", guards), context, fail_fast))
        return await _run_async(self._named(cast("Sequence[str]", guards), context, fail_fast))

    def can_transition(self, transition: Transition, context: dict[str, Any]) -> GuardResult:
        """Ask all guards of a transition."""
        return _run_sync(self._all(transition.guards, context, True))

    async def async_can_transition(self, transition: Transition, context: dict[str, Any]) -> GuardResult:
        """Ask all guards of a transition, asynchronous ones as well."""
        return await _run_async(self._all(transition.guards, context, True))

    def evaluate_and_raise(self, transition: Transition, current_state: str, context: dict[str, Any]) -> None:
        """Ask all guards of a transition; a refusal is an exception."""
        result = self.can_transition(transition, context)
        if not result:
            raise GuardRejectedError(
                result.message,
                current_state=current_state,
                trigger=transition.trigger,
                guard_name=result.guard_name or "",
                guard_result=result.evaluated_guards,
            )

    def get_required_guards(self, transitions: Iterable[Transition]) -> set[str]:
        """The names that the guards of transitions mention, at any depth."""
        return {name for transition in transitions for guard in transition.guards for name in _names(guard)}

    def _find(self, name: str) -> GuardFunction:
        guard = self._guards.get(name)
        if guard is None:
            raise GuardNotFoundError(f"Guard '{name}' not found", guard_name=name)
        return guard

    def _named(self, names: Sequence[str], context: dict[str, Any], fail_fast: bool) -> Evaluation:
        records: Records = []
        refused = None
        for name in names:
            answer = self._find(name)(context)
            passed = (yield name, answer) if inspect.isawaitable(answer) else answer
            records.append((name, passed))
            if not passed:
                refused = refused or name
                if fail_fast:
                    break
        return GuardResult.failure(refused, evaluated=records) if refused else GuardResult.success(records)

    def _all(self, guards: Sequence[GuardSpec], context: dict[str, Any], fail_fast: bool) -> Evaluation:
        records: Records = []
        refused = None
        for guard in guards:
            if not (yield from self._one(guard, context, records)):
                refused = refused or guard.label
                if fail_fast:
                    break
        return GuardResult.failure(refused, evaluated=records) if refused else GuardResult.success(records)

    def _one(self, guard: GuardSpec, context: dict[str, Any], records: Records) -> Steps:
        if guard.negate is not None:
            passed = not (yield from self._one(guard.negate, context, records))
        elif guard.all_of or guard.any_of:
            # All must pass, or one: the first answer of the other kind decides.
            decisive = not guard.all_of
            passed = not decisive
            for child in guard.all_of or guard.any_of:
                if (yield from self._one(child, context, records)) is decisive:
                    passed = decisive
                    break
        else:
            passed = yield from self._leaf(guard, context)
        records.append((guard.label, passed))
        return passed

    def _leaf(self, guard: GuardSpec, context: dict[str, Any]) -> Steps:
        try:
            if guard.expr is not None:
                return bool(evaluate_bool_expr(guard.expr, context))
            if guard.check is not None:
                return bool(evaluate_check(guard.check, context))
            name = guard.name or ""
            function = self.resolve(name)
            if function is None:
                return True
            answer = function(context, guard.params)
            return bool((yield name, answer) if inspect.isawaitable(answer) else answer)
        except (GuardNotFoundError, GuardExecutionError):
            raise
        except Exception as error:
            if is_transient_error(error):
                raise GuardExecutionError(
                    f"Guard '{guard.label}' failed with transient error", guard_name=guard.label, original_error=error
                ) from error
            logger.warning("Guard '%s' raised %s: %s; it counts as refused", guard.label, type(error).__name__, error)
            return False


def _run_sync(evaluation: Evaluation) -> GuardResult:
    try:
        name, answer = next(evaluation)
    except StopIteration as done:
        return cast("GuardResult", done.value)
    evaluation.close()
    raise _refusal(name, answer)


async def _run_async(evaluation: Evaluation) -> GuardResult:
    try:
        _, awaited = next(evaluation)
        while True:
            try:
                answer = await awaited
            except Exception as error:  # noqa: BLE001 - the generator knows what to make of it
                _, awaited = evaluation.throw(error)
            else:
                _, awaited = evaluation.send(answer)
    except StopIteration as done:
        return cast("GuardResult", done.value)


def _refusal(name: str, answer: Awaitable[Any]) -> GuardExecutionError:
    if asyncio.iscoroutine(answer):
        answer.close()
    return GuardExecutionError(
        f"Guard '{name}' is async and cannot be evaluated synchronously",
        guard_name=name,
        original_error=RuntimeError(f"guard '{name}' is asynchronous"),
    )


def _names(guard: GuardSpec) -> Iterable[str]:
    if guard.name is not None:
        yield guard.name
    children: tuple[GuardSpec, ...] = (*guard.all_of, *guard.any_of, *([guard.negate] if guard.negate else []))
    for child in children:
        yield from _names(child)
