"""Services of a container for routers that no dispatcher with one stands above."""

from typing import Any

from spikard.bots.injection import SCOPE, UpdateScope
from spikard.bots.middleware import BaseMiddleware, Handler
from spikard.di import Container


class ContainerMiddleware(BaseMiddleware):
    """What stands behind it is given services of the container, of one scope. `Dispatcher(container=...)` has the same.

    An outer middleware: its scope is closed when what stands behind it is done.
    """

    injects = ()

    def __init__(self, container: Container) -> None:
        self.container = container

    async def __call__(self, handler: Handler, event: Any, data: dict[str, Any]) -> Any:
        """Goes on within a scope."""
        async with UpdateScope(self.container) as scope:
            return await handler(event, {**data, SCOPE: scope})


__all__ = ["ContainerMiddleware"]
