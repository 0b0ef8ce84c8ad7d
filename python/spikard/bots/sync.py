"""Functions that block, in a thread, from handlers that must not."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def run_sync(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Calls a function in the loop's pool of threads, with the context variables of the caller."""
    return await asyncio.to_thread(function, *args, **kwargs)


def sync_to_async(function: Callable[P, T]) -> Callable[P, Awaitable[T]]:
    """The function as one that is awaited and runs in a thread. Works as a decorator."""

    @wraps(function)
    async def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.to_thread(function, *args, **kwargs)

    return run


__all__ = ["run_sync", "sync_to_async"]
