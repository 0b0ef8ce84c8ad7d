"""What runs before the first request and after the last one."""

import inspect
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from spikard.errors import ConfigError

logger = logging.getLogger("spikard.error")

Hook = Callable[..., Any]
LifespanFactory = Callable[[Any], AbstractAsyncContextManager[Mapping[str, Any] | None]]


@dataclass(slots=True)
class LifecycleHooks:
    """Functions registered with `on_startup` and `on_shutdown`."""

    startup: list[Hook] = field(default_factory=list)
    shutdown: list[Hook] = field(default_factory=list)
    shutdown_early: list[Hook] = field(default_factory=list)

    async def start(self, app: Any) -> None:
        """Run the start-up hooks in the order of registration; the first fault ends it."""
        for hook in self.startup:
            await call_hook(hook, app)

    async def stop_early(self, app: Any) -> None:
        """Run the hooks that want to know of the stop at once, while requests still drain."""
        for hook in self.shutdown_early:
            await _call_logged(hook, app)

    async def stop(self, app: Any) -> None:
        """Run the shutdown hooks, last registered first; a fault is logged and the others still run."""
        for hook in reversed(self.shutdown):
            await _call_logged(hook, app)


async def call_hook(hook: Hook, app: Any) -> None:
    """Call a sync or async hook, with the application if it takes an argument."""
    result = hook(app) if _takes_argument(hook) else hook()
    if inspect.isawaitable(result):
        await result


@asynccontextmanager
async def life(app: Any, hooks: LifecycleHooks, factory: LifespanFactory | None) -> AsyncIterator[None]:
    """Enter the lifespan and run the start-up hooks; on the way out the shutdown hooks, then leave the lifespan.

    Everything runs in the task that uses this context manager, so cancel scopes and task groups may span it.
    """
    async with AsyncExitStack() as stack:
        if factory is not None:
            values = await stack.enter_async_context(_enterable(factory, app))
            if values:
                app.state.update(values)
        # Registered before the hooks run: what a start-up hook opened gets closed even when a later one fails.
        stack.push_async_callback(hooks.stop, app)
        await hooks.start(app)
        yield


def _enterable(factory: LifespanFactory, app: Any) -> AbstractAsyncContextManager[Mapping[str, Any] | None]:
    manager = factory(app)
    if not hasattr(manager, "__aenter__") or not hasattr(manager, "__aexit__"):
        name = getattr(factory, "__qualname__", repr(factory))
        msg = (
            f"lifespan {name} returned {type(manager).__name__}, not an async context manager; "
            "decorate the function with contextlib.asynccontextmanager"
        )
        raise ConfigError(msg)
    return manager


async def _call_logged(hook: Hook, app: Any) -> None:
    try:
        await call_hook(hook, app)
    except Exception:
        logger.exception("shutdown hook %s failed", getattr(hook, "__qualname__", repr(hook)))


def _takes_argument(hook: Hook) -> bool:
    try:
        signature = inspect.signature(hook)
    except (TypeError, ValueError):
        return False
    return any(
        parameter.kind in {parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD, parameter.VAR_POSITIONAL}
        and parameter.default is parameter.empty
        for parameter in signature.parameters.values()
    )
