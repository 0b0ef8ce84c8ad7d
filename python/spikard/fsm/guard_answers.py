"""Guards that have to be awaited, asked by a native machine that cannot wait."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from spikard.fsm.guard_registry import GuardRegistry
from spikard.fsm.guard_spec import GuardSpec
from spikard.fsm.when_check import WhenCheck

Answer = TypeVar("Answer")
Ask = Callable[[Any, dict[str, Any]], bool]


class Asker(Protocol):
    """A machine, as far as it asks guards."""

    @property
    def guard_registry(self) -> GuardRegistry:
        """The guards that it asks."""
        ...

    def _answer(self, guard: GuardSpec | WhenCheck, context: dict[str, Any]) -> bool: ...


class _Unanswered(Exception):  # noqa: N818 - a signal, never seen outside
    def __init__(self, guard: GuardSpec, context: dict[str, Any]) -> None:
        super().__init__()
        self.guard = guard
        self.context = context


class AsyncAnswers:
    """Answers that have been awaited. Each guard is asked once, however often the machine begins anew."""

    def __init__(self, machine: Asker) -> None:
        self._machine = machine
        self._known: dict[int, bool] = {}

    async def settle(self, compute: Callable[[Ask], Answer]) -> Answer:
        """Computes something, awaiting what it asks for on the way."""
        while True:
            try:
                return compute(self._ask)
            except _Unanswered as question:
                passed = await self._machine.guard_registry.async_passes(question.guard, question.context)
                self._known[id(question.guard)] = passed

    def _ask(self, guard: GuardSpec | WhenCheck, context: dict[str, Any]) -> bool:
        if not isinstance(guard, GuardSpec) or guard.name is None:
            return self._machine._answer(guard, context)
        known = self._known.get(id(guard))
        if known is None:
            raise _Unanswered(guard, context)
        return known
