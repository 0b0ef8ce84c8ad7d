"""Questions to the application's own functions before a handler: the key of a rate limit, the owner of an API key."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from spikard._spikard import Request, Response
from spikard.app.hooks import Faults

Keep = Callable[[Any], None]


def inquire(
    function: Callable[[Any], Any], subject: Any, keep: Keep, request: Request, faults: Faults
) -> Awaitable[Response | None] | None:
    """Call the function and keep what it says; native code runs this the way it runs hooks.

    What it raises is answered as for a handler, and given back.
    """
    try:
        said = function(subject)
        if inspect.isawaitable(said):
            return _kept(said, keep, request, faults)
        keep(said)
    except Exception as fault:  # noqa: BLE001 - whatever a user's function raises
        return faults.answer_to(fault, request)
    return None


async def _kept(waiting: Awaitable[Any], keep: Keep, request: Request, faults: Faults) -> Response | None:
    try:
        keep(await waiting)
    except Exception as fault:  # noqa: BLE001 - whatever a user's function raises
        return await faults.answer_to(fault, request)
    return None


__all__ = ["inquire"]
