"""Ask the server who the bot is."""

import asyncio
from typing import TYPE_CHECKING

from spikard.cli.bot import options
from spikard.cli.outcome import EXIT_DONE, print_json

if TYPE_CHECKING:
    from spikard.bots.bot import Bot


def run(arguments: list[str]) -> int:
    """Print what the server says; 3 if it does not know the token."""
    parser = options.command_parser("me", "Ask the server who the bot is.")
    options.add_bot(parser)
    options.add_json(parser)
    given = parser.parse_args(arguments)
    return asyncio.run(_asked(options.one_bot(given), as_json=given.json))


async def _asked(bot: "Bot", *, as_json: bool) -> int:
    async with bot:
        me = await bot.get_me()
    if as_json:
        print_json(me.to_dict(exclude_none=True))
        return EXIT_DONE
    for name, value in (("id", me.user_id), ("nick", me.nick), ("name", me.first_name), ("about", me.about)):
        if value:
            print(f"{name:<6} {value}")
    print(f"server {bot.api_url}")
    return EXIT_DONE
