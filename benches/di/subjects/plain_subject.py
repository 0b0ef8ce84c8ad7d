"""No container: what the calls themselves cost."""

from typing import Any

from graph import Checkout, Database, Settings, Ticket, Users, report, right, timed, timed_async

settings = Settings()


async def build() -> Checkout:
    database = Database(settings)
    return Checkout(Users(database, settings), database)


async def handler(number: int, checkout: Checkout) -> int:
    return number


async def handle() -> int:
    database = Database(settings)
    return await handler(1, Checkout(Users(database, settings), database))


async def main() -> dict[str, Any]:
    right(await build())
    return {
        "version": "",
        "scope": await timed_async(build),
        "singleton": None,
        "transient": timed(lambda: Ticket(settings)),
        "handler": await timed_async(handle),
    }


report(main)
