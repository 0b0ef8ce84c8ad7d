"""Functions that sessions call after a step."""

import inspect
import logging
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from spikard.fsm.plan import Plan

logger = logging.getLogger("spikard.fsm.callbacks")

Function = TypeVar("Function", bound=Callable[..., Any])


class Callbacks:
    """Functions by what they wait for. What they raise is logged and undoes nothing."""

    def __init__(self) -> None:
        self.functions: dict[tuple[str, Any], list[Callable[..., Any]]] = {}

    def __len__(self) -> int:
        return len(self.functions)

    def adder(self, kind: str, of: Any) -> Callable[[Function], Function]:
        """A decorator that adds a function."""

        def add(function: Function) -> Function:
            self.functions.setdefault((kind, of), []).append(function)
            return function

        return add

    def fire(self, result: Plan, context: dict[str, Any]) -> None:
        """Calls those that a step concerns; asynchronous ones are left out, with a warning."""
        for function in self._concerned(result):
            if inspect.iscoroutinefunction(function):
                logger.warning("The asynchronous callback %s is skipped by a synchronous step", _name(function))
                continue
            try:
                function(context)
            except Exception:
                logger.exception("The callback %s failed", _name(function))

    async def afire(self, result: Plan, context: dict[str, Any]) -> None:
        """Calls those that a step concerns, and awaits the asynchronous ones."""
        for function in self._concerned(result):
            try:
                answer = function(context)
                if inspect.isawaitable(answer):
                    await answer
            except Exception:
                logger.exception("The callback %s failed", _name(function))

    def _concerned(self, result: Plan) -> Iterator[Callable[..., Any]]:
        source, target = result.source_state, result.target_state
        for key in (("exit", source), ("enter", target), ("transition", (source, target))):
            yield from self.functions.get(key, ())


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__qualname__", repr(function))
