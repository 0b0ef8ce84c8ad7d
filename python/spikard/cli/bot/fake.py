"""Serve a fake VK Teams with a page to chat by hand."""

import argparse
import asyncio
import logging
import signal

from spikard.cli.bot import options
from spikard.cli.outcome import EXIT_DONE

PORT = 8099


def run(arguments: list[str]) -> int:
    """Serve until a signal."""
    parser = options.command_parser(
        "fake", "Serve a fake VK Teams on this machine: the API for a bot, and a page on which to chat with it."
    )
    parser.add_argument("--port", type=int, default=PORT, help=f"where to listen ({PORT}); 0 takes a free one")
    parser.add_argument("--nick", default="testbot", help="the bot's name")
    return asyncio.run(_served(parser.parse_args(arguments)))


async def _served(given: argparse.Namespace) -> int:
    from spikard.app.serving import Listening, Stop
    from spikard.bots.testing.chat_page import chat_app
    from spikard.bots.testing.fake_platform import FakePlatform

    logging.basicConfig(level=logging.WARNING)
    platform, stop = FakePlatform(nick=given.nick), Stop()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.request)

    def ready(listening: Listening) -> None:
        (platform.base_url,) = listening.urls
        print(f"chat with the bot:  {platform.base_url}/", flush=True)
        print("start the bot with:", flush=True)
        print(f"  export VKTEAMS_API_URL={platform.base_url} VKTEAMS_TOKEN={platform.token}", flush=True)

    await chat_app(platform).serve(host="127.0.0.1", port=given.port, ready=ready, stop=stop)
    return EXIT_DONE
