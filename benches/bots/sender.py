"""One process that sends its part of the messages; begins when it is told to, and tells how it went, as JSON."""

import asyncio
import json
import logging
import sys
import time
from typing import Any

from spikard.bots import Bot, RateLimiter, RedisRateLimiter, Retry


async def send(options: dict[str, Any]) -> dict[str, Any]:
    """How long it took, and by how much the event loop was late while it did."""
    lags: list[float] = []
    failed = 0

    async def watch() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            lags.append(time.perf_counter() - before - 0.005)

    async def one(bot: Bot, number: int) -> None:
        nonlocal failed
        try:
            await bot.send_text(f"chat-{number % options['chats']}", str(number))
        except Exception as fault:  # noqa: BLE001 - counted
            failed += 1
            print(fault, file=sys.stderr)

    rate, burst = options["rate"], options["burst"]
    limiter: Any = RedisRateLimiter(options["redis"], options["key"], rate, burst) if options["redis"] else None
    limit = limiter or RateLimiter(rate, burst)
    retry = Retry(attempts=10, base=0.2, max_delay=2.0, budget=120.0)
    async with Bot(options["token"], options["url"], rate_limit=limit, retry=retry, timeout=options["timeout"]) as bot:
        if limiter is not None:
            await limiter.pause(0)
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        watching = asyncio.create_task(watch())
        start = time.perf_counter()
        await asyncio.gather(*(one(bot, number) for number in options["numbers"]))
        taken = time.perf_counter() - start
        watching.cancel()
    if limiter is not None:
        await limiter.aclose()
    return {"taken": taken, "lags": lags, "failed": failed}


if __name__ == "__main__":
    logging.disable()
    given = json.loads(sys.argv[1])
    given["numbers"] = range(given["first"], given["messages"], given["step"])
    print(json.dumps(asyncio.run(send(given))), flush=True)
