"""Errors of handlers: to the handlers of errors of the same router, then of those above it."""

import logging
from typing import TYPE_CHECKING, Any

from spikard.bots.dispatcher.error_event import ErrorEvent
from spikard.bots.handler import HandlerObject
from spikard.bots.outcomes import UNHANDLED, CancelHandler
from spikard.bots.plan import TRAIL, Entry

if TYPE_CHECKING:
    from spikard.bots.router import Router

logger = logging.getLogger("spikard.bots.dispatcher")


async def handle_error(router: "Router", event: Any, error: Exception, data: dict[str, Any]) -> Any:
    """What a handler of errors made of it; UNHANDLED, and the error is logged, if nobody took it."""
    data = {name: value for name, value in data.items() if name != TRAIL}
    data["error"] = data["exception"] = error
    above: Router | None = router
    while above is not None:
        for item in above.error_table().items:
            if not isinstance(item, Entry):
                continue
            try:
                found = await item.offer(_shown(item.handler, event, error, data), data)
            except CancelHandler:
                return None
            except Exception as second:
                logger.exception("A handler of errors has failed itself: %s", item.handler.name, exc_info=second)
                continue
            if found is not UNHANDLED:
                return found
        above = above.parent_router
    handler = data.get("handler")
    update = data.get("update")
    logger.error(
        "%s has failed with event %s",
        handler.name if isinstance(handler, HandlerObject) else router.name,
        getattr(update, "event_id", "?"),
        exc_info=error,
    )
    return UNHANDLED


def _shown(handler: HandlerObject, event: Any, error: Exception, data: dict[str, Any]) -> Any:
    """The first argument: the event, or everything in one where there is only one parameter."""
    signature = handler.signature
    if signature is None or not signature.takes_event or signature.wanted or signature.takes_all:
        return event
    return ErrorEvent(event=event, exception=error, update=data.get("update"))


__all__ = ["handle_error"]
