"""dishka: classes in a provider, its own way to inject into functions."""

from importlib.metadata import version
from typing import Any

from dishka import FromDishka, Provider, Scope, make_async_container, make_container
from dishka.integrations.base import wrap_injection
from graph import Checkout, Database, Settings, Ticket, Users, report, right, timed, timed_async

provider = Provider()
provider.provide(Settings, scope=Scope.APP)
for scoped in (Database, Users, Checkout):
    provider.provide(scoped, scope=Scope.REQUEST)
provider.provide(Ticket, scope=Scope.APP, cache=False)
container = make_async_container(provider)
plain_container = make_container(provider)


async def scope() -> Checkout:
    async with container() as opened:
        return await opened.get(Checkout)


async def handler(number: int, checkout: FromDishka[Checkout]) -> int:
    return number


entry = wrap_injection(func=handler, container_getter=lambda args, kwargs: container, is_async=True, manage_scope=True)


async def main() -> dict[str, Any]:
    right(await scope())
    if await entry(1) != 1:
        raise AssertionError
    return {
        "version": version("dishka"),
        "scope": await timed_async(scope),
        "singleton": timed(lambda: plain_container.get(Settings)),
        "transient": timed(lambda: plain_container.get(Ticket)),
        "handler": await timed_async(lambda: entry(1)),
    }


report(main)
