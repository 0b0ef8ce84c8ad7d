"""Ours."""

from typing import Any

from graph import Checkout, Database, Settings, Ticket, Users, report, right, timed, timed_async
from spikard import __version__
from spikard.di import Container, Inject
from spikard.di.injection import Injection, Target
from spikard.di.signature import MISSING, Parameter

container = Container().add_singleton(Settings).add_scoped(Database).add_scoped(Users).add_scoped(Checkout)
container.add_transient(Ticket)


async def scope() -> Checkout:
    async with container.scope() as opened:
        return await opened.aresolve(Checkout)


async def handler(number: int, checkout: Inject[Checkout]) -> int:
    right(checkout)
    return number


async def bare(number: int, checkout: Checkout) -> int:
    return number


async def main() -> dict[str, Any]:
    await container.init()
    right(await scope())
    # As a route's handler is compiled when a server starts.
    checkout = Parameter("checkout", Checkout, MISSING, by_name=False)
    targets = [Target(f, (checkout,), ("number",), "number, {checkout}", "async", True) for f in (handler, bare)]
    checked, entry = (Injection(container, target).entry for target in targets)
    if await checked(1) != 1:
        raise AssertionError
    return {
        "version": __version__,
        "scope": await timed_async(scope),
        "singleton": timed(lambda: container.resolve(Settings)),
        "transient": timed(lambda: container.resolve(Ticket)),
        "handler": await timed_async(lambda: entry(1)),
    }


report(main)
