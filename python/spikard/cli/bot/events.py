"""Show events as they come."""

import argparse
import asyncio
import json
from typing import Any

from spikard.bots.calls import POLL
from spikard.cli.bot import options
from spikard.cli.outcome import EXIT_DONE


def run(arguments: list[str]) -> int:
    """Print a line for each event, until a signal or so many of them."""
    parser = options.command_parser(
        "events",
        "Show events as they come. The bot does not get what was fetched here: stop it first.",
    )
    options.add_bot(parser)
    parser.add_argument("--json", action="store_true", help="print each event as the server has sent it")
    parser.add_argument("--count", metavar="N", type=int, help="end after so many")
    given = parser.parse_args(arguments)
    return asyncio.run(_shown(given))


async def _shown(given: argparse.Namespace) -> int:
    from spikard.bots.calls import is_cut
    from spikard.bots.errors import NetworkError, ServerError

    left, last = given.count, 0
    async with options.one_bot(given) as bot:
        await bot.get_me()
        while left is None or left > 0:
            try:
                answer = await bot.request(
                    POLL, {"lastEventId": last, "pollTime": bot.poll_time}, timeout=bot.timeout + bot.poll_time
                )
            except (NetworkError, ServerError) as fault:
                if is_cut(fault):
                    continue
                raise
            for event in (answer.get("events") or [])[:left]:
                print(json.dumps(event, ensure_ascii=False) if given.json else _line(event), flush=True)
                number = event.get("eventId") if isinstance(event, dict) else None
                last = max(last, number) if isinstance(number, int) else last
                left = None if left is None else left - 1
        # So that the server drops what was shown, and no more.
        await bot.request(POLL, {"lastEventId": last, "pollTime": 0})
    return EXIT_DONE


def _line(event: Any) -> str:
    if not isinstance(event, dict):
        return f"malformed: {event!r}"
    payload = event.get("payload") or {}
    chat = (payload.get("chat") or (payload.get("message") or {}).get("chat") or {}).get("chatId", "")
    who = (payload.get("from") or {}).get("userId", "")
    what = payload.get("text") or payload.get("callbackData") or ""
    place = who if chat == who else f"{who} in {chat}" if who else chat
    return f"{event.get('eventId')} {event.get('type')} {place}: {what}".rstrip(": ")
