"""The cases: which handlers there are, and what somebody writes. The same for every library."""

from collections.abc import Awaitable, Callable, Sequence
from time import process_time
from typing import Any

KINDS = {
    "first command": ("command", lambda count: "/c0"),
    "last command": ("command", lambda count: f"/c{count - 1}"),
    "no handler": ("command", lambda count: "nothing"),
    "last text": ("text", lambda count: f"c{count - 1}"),
    "last data of a button": ("data", lambda count: f"c{count - 1}"),
    "state and last text": ("state", lambda count: f"c{count - 1}"),
    "20 routers, 2 middlewares, last command": ("routers", lambda count: f"/c{count - 1}"),
}
COUNTS = (10, 1000)
ROUTERS = 20
Feed = Callable[[], Awaitable[Any]]


async def middleware(handler: Any, event: Any, data: dict[str, Any]) -> Any:
    """Goes on, and does nothing else."""
    return await handler(event, data)


def spread(dispatcher: Any, routers: list[Any], count: int) -> list[Any]:
    """Below the dispatcher all routers; for each number the one that its handler goes to."""
    dispatcher.include_routers(*routers)
    return [routers[number * len(routers) // count] for number in range(count)]


async def timed(feed: Feed, count: int, rounds: int) -> float:
    """Microseconds of processor time for an update, the best of the rounds."""
    times = max(20, 20_000 // (count * 10))
    await feed()
    found = []
    for _ in range(rounds):
        begin = process_time()
        for _ in range(times):
            await feed()
        found.append((process_time() - begin) / times * 1e6)
    return min(found)


async def results(make: Callable[[str, int, str], Feed], rounds: int) -> Sequence[tuple[str, int, float]]:
    """Every case of a library: its name, how many handlers there are, microseconds."""
    return [
        (name, count, await timed(make(kind, count, text(count)), count, rounds))
        for name, (kind, text) in KINDS.items()
        for count in COUNTS
    ]
