"""Send a text or a file."""

import argparse
import asyncio
import sys
from pathlib import Path

from spikard.cli.bot import options
from spikard.cli.outcome import EXIT_DONE, EXIT_USAGE, Failure, print_json


def run(arguments: list[str]) -> int:
    """Print the id of the new message."""
    parser = options.command_parser("send", "Send a text, or a file with a text below it.")
    parser.add_argument("chat", metavar="CHAT", help="id of a chat, or of a person")
    parser.add_argument("text", metavar="TEXT", nargs="?", help="the text; - for standard input")
    parser.add_argument("--file", metavar="FILE", type=Path, help="a file to send; the text becomes its caption")
    parser.add_argument("--parse-mode", choices=("HTML", "MarkdownV2"), help="how the text is marked up")
    options.add_bot(parser)
    options.add_json(parser)
    given = parser.parse_args(arguments)
    return asyncio.run(_sent(given))


async def _sent(given: argparse.Namespace) -> int:
    text = sys.stdin.read() if given.text == "-" else given.text
    if not text and given.file is None:
        raise Failure("there is nothing to send: give a text or --file", EXIT_USAGE)
    if given.file is not None and not given.file.is_file():
        raise Failure(f"there is no file {given.file}", EXIT_USAGE)
    async with options.one_bot(given) as bot:
        if given.file is None:
            sent = await bot.send_text(given.chat, text, parse_mode=given.parse_mode)
        else:
            sent = await bot.send_file(given.chat, file=given.file, caption=text, parse_mode=given.parse_mode)
    if given.json:
        print_json(sent.to_dict(exclude_none=True))
    else:
        print(sent.msg_id)
    return EXIT_DONE
