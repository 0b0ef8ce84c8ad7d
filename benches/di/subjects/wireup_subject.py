"""wireup: classes as injectables, its own decorator for functions."""

from importlib.metadata import version
from typing import Any

import wireup
from graph import Checkout, Database, Settings, Ticket, Users, report, right, timed, timed_async
from wireup import Injected

made = [
    wireup.injectable(Settings, lifetime="singleton"),
    *(wireup.injectable(cls, lifetime="scoped") for cls in (Database, Users, Checkout)),
    wireup.injectable(Ticket, lifetime="transient"),
]
classes = [Settings, Database, Users, Checkout, Ticket]
container = wireup.create_async_container(injectables=classes)
plain_container = wireup.create_sync_container(injectables=classes)


async def scope() -> Checkout:
    async with container.enter_scope() as opened:
        return await opened.get(Checkout)


@wireup.inject_from_container(container)
async def handler(number: int, checkout: Injected[Checkout]) -> int:
    return number


async def main() -> dict[str, Any]:
    right(await scope())
    if await handler(1) != 1:  # type: ignore[call-arg]
        raise AssertionError
    with plain_container.enter_scope() as opened:
        transient = timed(lambda: opened.get(Ticket))
    return {
        "version": version("wireup"),
        "scope": await timed_async(scope),
        "singleton": timed(lambda: plain_container.get(Settings)),
        "transient": transient,
        "handler": await timed_async(lambda: handler(1)),  # type: ignore[call-arg]
    }


report(main)
