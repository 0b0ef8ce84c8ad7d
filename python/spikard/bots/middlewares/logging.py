"""A line for each event that a handler has taken."""

import logging
from time import perf_counter
from typing import Any

from spikard.bots.middleware import BaseMiddleware, Handler
from spikard.bots.outcomes import UNHANDLED, CancelHandler, SkipHandler


class LoggingMiddleware(BaseMiddleware):
    """Logs the kind of an event, its number, who it is from, the handler, what came of it, and milliseconds.

    Never what was written. As an inner middleware it knows the handler; as an outer one it sees what nobody takes, too.

    Args:
        logger: By default `spikard.bots.access`.
        level: Of lines; failures are errors.
    """

    injects = ()

    def __init__(self, logger: logging.Logger | None = None, level: int = logging.INFO) -> None:
        self._logger = logger or logging.getLogger("spikard.bots.access")
        self._level = level

    async def __call__(self, handler: Handler, event: Any, data: dict[str, Any]) -> Any:
        """Goes on, and tells what came of it."""
        began = perf_counter()
        outcome, level = "handled", self._level
        try:
            found = await handler(event, data)
            if found is UNHANDLED:
                outcome = "unhandled"
            return found
        except SkipHandler:
            outcome = "skipped"
            raise
        except CancelHandler:
            raise
        except BaseException as fault:
            outcome, level = f"failed with {type(fault).__name__}", logging.ERROR
            raise
        finally:
            self._log(level, outcome, perf_counter() - began, event, data)

    def _log(self, level: int, outcome: str, seconds: float, event: Any, data: dict[str, Any]) -> None:
        update = data.get("update")
        user, chat = getattr(event, "from_user", None), getattr(event, "chat", None)
        self._logger.log(
            level,
            "%s %s from %s in %s: %s %s in %.1f ms",
            data.get("event_type") or type(event).__name__,
            getattr(update, "event_id", "-"),
            getattr(user, "user_id", "-"),
            getattr(chat, "chat_id", "-"),
            getattr(data.get("handler"), "name", "-"),
            outcome,
            seconds * 1000,
        )


__all__ = ["LoggingMiddleware"]
