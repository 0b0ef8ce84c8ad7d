"""The command line: `benches/bots/kills/run`."""

import argparse
import asyncio
import random
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from spikard.bots.fsm import StorageKey
from spikard.bots.storages import create_storage
from spikard.bots.testing import FakeVKTeams

from bots.kills.bot import AFTER, answer

BOT = Path(__file__).resolve().parent / "bot.py"


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(prog="benches/bots/kills/run", description=__doc__)
    arguments.add_argument("--storage", required=True, help="an empty one: sqlite:FILE, postgresql://..., redis://...")
    arguments.add_argument("--delivery", choices=("at_least_once", "at_most_once"), default="at_least_once")
    arguments.add_argument("--kills", type=int, default=100)
    arguments.add_argument("--updates", type=int, default=5000)
    arguments.add_argument("--users", type=int, default=200)
    arguments.add_argument("--longest", type=float, default=2.0, help="seconds from its start to a kill")
    arguments.add_argument("--patience", type=float, default=60.0, help="seconds without an answer that end it")
    arguments.add_argument("--seed", type=int, default=0)
    return arguments


def main() -> int:
    return asyncio.run(measured(parser().parse_args()))


async def measured(options: argparse.Namespace) -> int:
    """Zero if nothing was lost, done twice or done in another order."""
    chance = random.Random(options.seed)
    users = [f"user-{number}@corp.example" for number in range(options.users)]
    writers = [chance.choice(users) for _ in range(options.updates)]
    start = time.monotonic()
    async with FakeVKTeams(latency=0.002) as server:
        numbers = iter(enumerate(writers, 1))
        for kill in range(options.kills):
            share = options.updates // options.kills
            await one_life(server, options, chance, numbers, share)
            shown(kill + 1, options.kills, len(server.sent), options.updates)
        code = await last_life(server, options, numbers)
        rows = await judged(server, options, writers)
        rows |= {"exit code at the end": code, "seconds": f"{time.monotonic() - start:.0f}"}
    print(file=sys.stderr)
    for name, value in rows.items():
        print(f"{name:32} {value}")
    faults = (
        "missing",
        "more than once",
        "out of order",
        "wrong",
        "states wrong",
        "dead letters",
        "left in the journal",
    )
    return int(any(rows[name] for name in faults) or code != 0)


async def started(server: FakeVKTeams, options: argparse.Namespace) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *(str(BOT), server.url, server.token, options.storage, options.delivery),
        stdout=asyncio.subprocess.PIPE,
    )


async def one_life(
    server: FakeVKTeams,
    options: argparse.Namespace,
    chance: random.Random,
    numbers: Iterator[tuple[int, str]],
    share: int,
) -> None:
    """A bot, and people who write to it, until it is killed: at any moment, before it polls as well."""
    process = await started(server, options)
    assert process.stdout is not None
    if chance.random() < 0.9:
        await process.stdout.readline()
    end = time.monotonic() + chance.random() * options.longest
    for _ in range(share):
        said(server, numbers)
        left = end - time.monotonic()
        if left > 0 and chance.random() < 0.2:
            await asyncio.sleep(min(left, chance.random() * options.longest * 10 / share))
    await asyncio.sleep(max(0.0, end - time.monotonic()))
    process.kill()
    await process.communicate()


def said(server: FakeVKTeams, numbers: Iterator[tuple[int, str]]) -> bool:
    for number, user in numbers:
        server.push_message(str(number), user_id=user)
        return True
    return False


async def last_life(server: FakeVKTeams, options: argparse.Namespace, numbers: Iterator[tuple[int, str]]) -> int | None:
    """A bot that may live until everything is answered, or until nothing is any more."""
    while said(server, numbers):
        pass
    process = await started(server, options)
    assert process.stdout is not None
    await process.stdout.readline()
    known, since = len(server.sent), time.monotonic()
    while len(server.sent) < options.updates and time.monotonic() - since < options.patience:
        await asyncio.sleep(0.2)
        if len(server.sent) > known:
            known, since = len(server.sent), time.monotonic()
    process.send_signal(signal.SIGTERM)
    await process.communicate()
    return process.returncode


async def judged(server: FakeVKTeams, options: argparse.Namespace, writers: list[str]) -> dict[str, Any]:
    """What there is at the server and in the storage, beside what there should be."""
    of_user: dict[str, list[int]] = defaultdict(list)
    for number, user in enumerate(writers, 1):
        of_user[user].append(number)
    got: dict[str, list[str]] = defaultdict(list)
    for message in server.sent:
        got[message.chat_id].append(message.text or "")
    rows = dict.fromkeys(("missing", "more than once", "out of order", "wrong", "states wrong"), 0)
    bot_id = server.token.rpartition(":")[2]
    storage: Any = create_storage(options.storage)
    for user, theirs in of_user.items():
        expected, step, total = [], None, 0
        for count, number in enumerate(theirs, 1):
            total += number
            expected.append(answer(number, step, count, total))
            step = AFTER[step] and AFTER[step].state
        found = [int(text.split()[0]) for text in got[user]]
        rows["missing"] += len(set(theirs) - set(found))
        rows["more than once"] += len(found) - len(set(found))
        rows["out of order"] += found != sorted(found)
        rows["wrong"] += len(set(got[user]) - set(expected))
        record = await storage.get(StorageKey(bot_id, user, user))
        kept = (record.state, record.data.get("count"), record.data.get("total"))
        rows["states wrong"] += kept != (step, len(theirs), total)
    rows |= {
        "dead letters": len(await storage.dead(bot_id)),
        "left in the journal": len(await storage.pending(bot_id)),
    }
    await storage.close()
    about = {"storage": options.storage.partition(":")[0], "kills": options.kills, "updates": options.updates}
    return {
        **about,
        "answers at the server": len(server.sent),
        "sent again and dropped there": server.duplicates,
        **rows,
    }


def shown(kills: int, most: int, answered: int, updates: int) -> None:
    """Progress, in a terminal."""
    if sys.stderr.isatty():
        width = 40 * kills // most
        bar = "#" * width + "." * (40 - width)
        print(f"\r[{bar}] {kills}/{most} kills, {answered}/{updates} answers", end="", file=sys.stderr, flush=True)
