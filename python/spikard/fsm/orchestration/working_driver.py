"""A driver for threads that do nothing else than work."""

import inspect
from collections.abc import Awaitable
from typing import Any

from spikard.fsm.action_result import ActionResult
from spikard.fsm.action_spec import ActionSpec
from spikard.fsm.delivery import Delivery, current_delivery
from spikard.fsm.orchestration.drivers import BlockingDriver


class WorkingDriver(BlockingDriver):
    """Blocks, and has asynchronous actions awaited in the orchestrator's own loop meanwhile."""

    def start(self, *arguments: Any) -> None:
        """Start a service."""
        self._awaited(self._o.invoke_adapter.start(*arguments))

    def stop(self, *arguments: Any) -> None:
        """Stop a service."""
        self._awaited(self._o.invoke_adapter.stop(*arguments))

    def _awaited(self, value: Any) -> None:
        if inspect.isawaitable(value):
            self._o.background.wait(finished(value))

    def execute(self, action: ActionSpec, context: dict[str, Any], delivery: Delivery) -> ActionResult:
        """Do an action."""
        executor = self._o.executor
        if not executor.registry.is_async(action.name):
            return super().execute(action, context, delivery)
        token = current_delivery.set(delivery)
        try:
            return self._o.background.wait(executor.async_execute_action_spec(action, context))
        finally:
            current_delivery.reset(token)


async def finished(value: Awaitable[Any]) -> Any:
    """What an awaitable comes to."""
    return await value
