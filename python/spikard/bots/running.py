"""A bot as a whole program."""

from typing import Any

from spikard.bots.bot import Bot
from spikard.bots.dispatcher.dispatcher import Dispatcher
from spikard.bots.router import Router


def run(handlers: Router, *bots: Bot, **options: Any) -> None:
    """Polls until a signal; comes back when everything has ended.

    Args:
        handlers: A dispatcher, or a router where the dispatcher needs no settings.
        bots: Whose updates; without any, the bot of `VKTEAMS_TOKEN` and `VKTEAMS_API_URL`.
        options: Those of `Dispatcher.start_polling`.

    Raises:
        ConfigError: No bot is given, and the environment names none.
        InvalidToken: The server does not know the token.
    """
    if isinstance(handlers, Dispatcher):
        dp = handlers
    else:
        dp = Dispatcher()
        dp.include_router(handlers)
    dp.run(*(bots or (Bot(),)), **options)


__all__ = ["run"]
