"""Whether a coroutine function can ever wait, read from its code."""

import dis
import inspect
from collections.abc import Coroutine, Generator
from types import CodeType, coroutine
from typing import Any

# Instructions that wait, or begin to: `await`, `async for`, `async with`.
WAITING = frozenset(
    {
        "SEND",
        "YIELD_VALUE",
        "YIELD_FROM",
        "GET_AWAITABLE",
        "GET_AITER",
        "GET_ANEXT",
        "GET_YIELD_FROM_ITER",
        "BEFORE_ASYNC_WITH",
        "END_ASYNC_FOR",
        "ASYNC_GEN_WRAP",
    }
)
# Names that ask for the running task, or need one: without a task of its own the handler would notice.
TASK_NAMES = frozenset(
    {
        "CancelScope",
        "Task",
        "all_tasks",
        "current_async_library",
        "current_context",
        "current_effective_deadline",
        "current_task",
        "fail_after",
        "get_current_task",
        "get_running_tasks",
        "move_on_after",
    }
)


def never_suspends(code: CodeType) -> bool:
    """Whether the code is a coroutine's and runs to its end at once, without caring for tasks."""
    if not code.co_flags & inspect.CO_COROUTINE or code.co_flags & inspect.CO_ASYNC_GENERATOR:
        return False
    if _names_task(code):
        return False
    return not any(instruction.opname in WAITING for instruction in dis.get_instructions(code))


def _names_task(code: CodeType) -> bool:
    # Lambdas and, before 3.12, comprehensions have code of their own.
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return bool(TASK_NAMES.intersection(code.co_names)) or any(_names_task(constant) for constant in inner)


async def resumed(begun: Coroutine[Any, Any, Any], awaited: Any) -> Any:
    """The rest of a coroutine that has been driven by hand to where it waits for `awaited`."""
    return await _rest(begun, awaited)


@coroutine
def _rest(begun: Coroutine[Any, Any, Any], awaited: Any) -> Generator[Any, Any, Any]:
    try:
        while True:
            try:
                sent = yield awaited
            except BaseException as fault:  # noqa: BLE001 - it is for the coroutine to see
                awaited = begun.throw(fault)
            else:
                awaited = begun.send(sent)
    except StopIteration as end:
        return end.value


__all__ = ["never_suspends", "resumed"]
