"""The fake server in a process of its own; tells its address, and when its input ends, what it has seen, as JSON."""

import asyncio
import json
import random
import sys
from typing import Any

from spikard.bots.testing import FakeVKTeams

# What a call is repeated after; the last is longer than the bot waits.
FAULTS: list[Any] = [429, 500, 502, 503, 504, "drop", "lost", 1.5]


async def serve(most: int, seconds: float, latency: float, share: float, calls: int) -> None:
    """Counts until its input ends. A share of the first so many calls fails."""
    async with FakeVKTeams(rate=(most, seconds), latency=latency) as server:
        chance = random.Random(1)
        for _ in range(calls if share else 0):
            fault = chance.choice(FAULTS) if chance.random() < share else 0.0
            server.fail_next("messages/sendText", fault)
        print(json.dumps({"url": server.url, "token": server.token}), flush=True)
        await asyncio.to_thread(sys.stdin.read)
        by_chat: dict[str, list[int]] = {}
        for message in server.sent:
            by_chat.setdefault(message.chat_id, []).append(int(message.text or 0))
        print(
            json.dumps(
                {
                    "sent": len(server.sent),
                    "different": len({message.text for message in server.sent}),
                    "refused": server.http_429,
                    "duplicates": server.duplicates,
                    "chats_out_of_order": sum(texts != sorted(texts) for texts in by_chat.values()),
                }
            ),
            flush=True,
        )


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5])))
