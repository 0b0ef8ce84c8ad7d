"""Find out why a bot does not work."""

import argparse
import asyncio
import socket
import time
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from spikard.cli.bot import options
from spikard.cli.bot.command import EXIT_TOKEN
from spikard.cli.outcome import EXIT_DONE, EXIT_FAILURE, print_json

if TYPE_CHECKING:
    from spikard.bots.bot import Bot

MOST_SECONDS_APART = 60
# Without parameters none of them does anything: the server says what is missing, or that it is not allowed.
METHODS = """
    messages/sendText messages/sendFile messages/sendVoice messages/sendTextWithDeeplink messages/editText
    messages/deleteMessages messages/answerCallbackQuery
    chats/getInfo chats/getAdmins chats/getMembers chats/getBlockedUsers chats/getPendingUsers chats/blockUser
    chats/unblockUser chats/resolvePending chats/setTitle chats/setAbout chats/setRules chats/avatar/set
    chats/members/add chats/members/delete chats/pinMessage chats/unpinMessage chats/sendActions
    files/getInfo threads/add threads/subscribers/get threads/autosubscribe
""".split()


class Result(NamedTuple):
    """What one look has shown."""

    what: str
    is_good: bool
    text: str


def run(arguments: list[str]) -> int:
    """Print a line for each thing that was looked at: 0 if all are well, 3 for a wrong token, else 1."""
    parser = options.command_parser(
        "doctor", "Look at address, proxy, TLS, token and clock, and at which methods this server and this bot have."
    )
    options.add_bot(parser)
    options.add_json(parser)
    given = parser.parse_args(arguments)
    return asyncio.run(_looked(given))


async def _looked(given: argparse.Namespace) -> int:
    results, is_token_bad = [], False
    async with options.one_bot(given) as bot:
        async for result in looks(bot):
            results.append(result)
            is_token_bad = is_token_bad or (result.what == "token" and not result.is_good)
            if not given.json:
                print(f"{'ok  ' if result.is_good else 'FAIL'} {result.what:<8} {result.text}", flush=True)
    if given.json:
        print_json({"results": [result._asdict() for result in results]})
    if is_token_bad:
        return EXIT_TOKEN
    return EXIT_DONE if all(result.is_good for result in results) else EXIT_FAILURE


async def looks(bot: "Bot") -> AsyncIterator[Result]:
    """One thing after another; nothing after the first without which the others mean nothing."""
    from spikard.bots.errors import APIError, BotError, InvalidToken, NetworkError, TLSError

    yield (found := await _resolved(bot))
    if not found.is_good:
        return
    if bot.proxy:
        yield Result("proxy", True, f"requests go through {urlsplit(bot.proxy).hostname}")
    begun = time.monotonic()
    try:
        me = await bot.get_me()
    except TLSError as error:
        yield Result("tls", False, str(error))
        return
    except NetworkError as error:
        yield Result("server", False, f"{error}. Is the address right, and does a proxy stand between?")
        return
    except InvalidToken as error:
        yield Result("token", False, f"the server does not know it: {error.message}")
        return
    except APIError as error:
        yield Result("token", False, f"the server refuses it: {error.message}")
        return
    except BotError as error:
        yield Result("server", False, f"what answers is not the API: {error}. Does the address end with /bot/v1?")
        return
    milliseconds = 1000 * (time.monotonic() - begun)
    if bot.api_url.startswith("https:"):
        yield Result("tls", True, "the certificate is trusted")
    else:
        yield Result("tls", _is_local(bot), "none: whoever is on the way reads the token")
    yield Result("token", True, f"it is that of {me.nick or me.user_id}, answered in {milliseconds:.0f} ms")
    yield await _clock(bot)
    yield await _methods(bot)


async def _resolved(bot: "Bot") -> Result:
    parts = urlsplit(bot.api_url)
    host = parts.hostname or ""
    if bot.proxy:
        return Result("address", True, f"{bot.api_url} (the proxy looks the name up)")
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, parts.port or 443, type=socket.SOCK_STREAM)
    except OSError as error:
        return Result("address", False, f"there is no server {host}: {error.strerror or error}; set VKTEAMS_API_URL")
    return Result("address", True, f"{bot.api_url} is {found[0][4][0]}")


def _is_local(bot: "Bot") -> bool:
    return urlsplit(bot.api_url).hostname in {"127.0.0.1", "::1", "localhost"}


async def _clock(bot: "Bot") -> Result:
    answer = await bot.http.get(urlsplit(bot.api_url)._replace(path="/", query="").geturl())
    date = answer.headers.get("date")
    if date is None:
        return Result("clock", True, "the server does not say what time it has")
    apart = time.time() - parsedate_to_datetime(date).timestamp()
    return Result(
        "clock",
        abs(apart) < MOST_SECONDS_APART,
        f"{abs(apart):.0f} s {'after' if apart > 0 else 'before'} the server's",
    )


async def _methods(bot: "Bot") -> Result:
    from spikard.bots.errors import APIError, BotError, MethodUnknown, NotAllowed

    missing: dict[str, list[str]] = {"not allowed": [], "unknown": [], "failing": []}
    for method in METHODS:
        try:
            await bot.request(method, retry=0)
        except NotAllowed:
            missing["not allowed"].append(method)
        except MethodUnknown:
            missing["unknown"].append(method)
        except APIError:  # it wants parameters: it is there
            pass
        except BotError:
            missing["failing"].append(method)
    told = [f"{word}: {', '.join(names)}" for word, names in missing.items() if names]
    count = len(METHODS) - sum(map(len, missing.values()))
    return Result("methods", not missing["failing"], "; ".join([f"{count} of {len(METHODS)} are there", *told]))
