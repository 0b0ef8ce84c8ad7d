"""What follows when values are no longer needed: the rest of generators, the exits of context managers."""

import asyncio
from collections.abc import Sequence
from types import AsyncGeneratorType, GeneratorType
from typing import Any

from spikard.errors import DIError

# How long a cleanup may go on after it has been cancelled, in seconds.
SHIELD_SECONDS = 10.0


class ManagerExit:
    """A context manager that was entered."""

    __slots__ = ("is_async", "manager")

    def __init__(self, manager: Any, *, is_async: bool) -> None:
        self.manager = manager
        self.is_async = is_async


def wait_needed(exits: Sequence[Any]) -> bool:
    """Whether one of these has to be awaited."""
    return any(isinstance(step, AsyncGeneratorType) or getattr(step, "is_async", False) for step in exits)


def close_now(exits: list[Any], fault: BaseException | None) -> None:
    """Run all steps, last first, where none has to be awaited; all errors come at the end."""
    errors: list[BaseException] = []
    while exits:
        try:
            _step(exits.pop(), fault)
        except BaseException as error:  # noqa: BLE001 - every step runs, whatever the one before did
            _keep(errors, error, fault)
    _raise(errors)


async def close(exits: list[Any], fault: BaseException | None) -> None:
    """Run all steps, last first; each one even if another failed."""
    errors: list[BaseException] = []
    while exits:
        step = exits.pop()
        try:
            if isinstance(step, AsyncGeneratorType):
                await _async_step(step, fault)
            elif getattr(step, "is_async", False):
                await step.manager.__aexit__(*_told(fault))
            else:
                _step(step, fault)
        except BaseException as error:  # noqa: BLE001 - every step runs, whatever the one before did
            _keep(errors, error, fault)
    _raise(errors)


async def close_shielded(exits: list[Any], fault: BaseException | None) -> None:
    """Run all steps to their end even when the caller is cancelled meanwhile, for ten seconds at most."""
    if not wait_needed(exits):
        close_now(exits, fault)
        return
    closing = asyncio.get_running_loop().create_task(close(exits, fault))
    try:
        await asyncio.shield(closing)
    except asyncio.CancelledError:
        if not closing.done():
            await asyncio.wait({closing}, timeout=SHIELD_SECONDS)
            closing.cancel()
        raise


def _step(step: Any, fault: BaseException | None) -> None:
    if isinstance(step, GeneratorType):
        try:
            if fault is None:
                next(step)
            else:
                step.throw(fault)
        except StopIteration:
            return
        step.close()
        raise DIError(f"the provider {step.__qualname__} yields more than once")
    step.manager.__exit__(*_told(fault))


async def _async_step(step: Any, fault: BaseException | None) -> None:
    try:
        if fault is None:
            await anext(step)
        else:
            await step.athrow(fault)
    except StopAsyncIteration:
        return
    await step.aclose()
    raise DIError(f"the provider {step.__qualname__} yields more than once")


def _told(fault: BaseException | None) -> tuple[Any, Any, Any]:
    return (type(fault), fault, fault.__traceback__) if fault is not None else (None, None, None)


def _keep(errors: list[BaseException], error: BaseException, fault: BaseException | None) -> None:
    # What was thrown in comes out again where nobody caught it: that is no error of the cleanup.
    if error is fault or (isinstance(error, RuntimeError) and fault is not None and error.__cause__ is fault):
        return
    errors.append(error)


def _raise(errors: list[BaseException]) -> None:
    if not errors:
        return
    if len(errors) == 1:
        raise errors[0]
    raise BaseExceptionGroup("several dependencies failed to clean up", errors)


def started(generator: Any) -> Any:
    """The value of a generator provider."""
    for value in generator:
        return value
    raise DIError(f"the provider {generator.__qualname__} has not yielded a value")


async def started_async(generator: Any) -> Any:
    """The value of an async generator provider."""
    try:
        return await anext(generator)
    except StopAsyncIteration:
        msg = f"the provider {generator.__qualname__} has not yielded a value"
        raise DIError(msg) from None


__all__ = ["ManagerExit", "close", "close_now", "close_shielded", "started", "started_async", "wait_needed"]
