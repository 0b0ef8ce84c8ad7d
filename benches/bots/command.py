"""The command line: `benches/bots/run`."""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from spikard.bots import Bot

SERVER = Path(__file__).resolve().parent / "server.py"


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(prog="benches/bots/run", description=__doc__)
    arguments.add_argument("--messages", type=int, default=10_000)
    arguments.add_argument("--chats", type=int, default=500)
    arguments.add_argument("--rate", type=float, default=200.0, help="of the bot, per second")
    arguments.add_argument("--burst", type=float, default=5.0)
    arguments.add_argument("--window", type=int, default=220, help="how many calls the server takes in any second")
    arguments.add_argument("--latency", type=float, default=0.005, help="of each call, in seconds")
    return arguments


def main() -> int:
    options = parser().parse_args()
    command = [sys.executable, str(SERVER), str(options.window), "1.0", str(options.latency)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        place = json.loads(process.stdout.readline())
        taken, lags = asyncio.run(send_all(place["url"], place["token"], options))
        process.stdin.close()
        seen = json.loads(process.stdout.readline())
    best = (options.messages - options.burst) / options.rate
    rows = {
        "messages": options.messages,
        "at the server": seen["sent"],
        "refused (429)": seen["refused"],
        "came twice": seen["duplicates"],
        "chats out of order": seen["chats_out_of_order"],
        "seconds": f"{taken:.2f}",
        "best possible": f"{best:.2f}",
        "above it": f"{(taken / best - 1) * 100:.1f} %",
        "loop late, p99": f"{statistics.quantiles(lags, n=100)[98] * 1000:.1f} ms",
    }
    for name, value in rows.items():
        print(f"{name:20} {value}")
    is_whole = seen["sent"] == options.messages and not (seen["duplicates"] or seen["chats_out_of_order"])
    return 0 if is_whole else 1


async def send_all(url: str, token: str, options: argparse.Namespace) -> tuple[float, list[float]]:
    """How long it took, and by how much the event loop was late while it did."""
    lags: list[float] = []

    async def watch() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            lags.append(time.perf_counter() - before - 0.005)

    async with Bot(token, url, rate_limit=options.rate, burst=options.burst) as bot:
        watching = asyncio.create_task(watch())
        start = time.perf_counter()
        await asyncio.gather(
            *(bot.send_text(f"chat-{number % options.chats}", str(number)) for number in range(options.messages))
        )
        taken = time.perf_counter() - start
        watching.cancel()
    return taken, lags
