"""The fake server in a process of its own; tells its address, and when its input ends, what it has seen, as JSON."""

import asyncio
import json
import sys

from spikard.bots.testing import FakeVKTeams


async def serve(most: int, seconds: float, latency: float) -> None:
    async with FakeVKTeams(rate=(most, seconds), latency=latency) as server:
        print(json.dumps({"url": server.url, "token": server.token}), flush=True)
        await asyncio.to_thread(sys.stdin.read)
        by_chat: dict[str, list[int]] = {}
        for message in server.sent:
            by_chat.setdefault(message.chat_id, []).append(int(message.text or 0))
        print(
            json.dumps(
                {
                    "sent": len(server.sent),
                    "refused": server.http_429,
                    "duplicates": server.duplicates,
                    "chats_out_of_order": sum(texts != sorted(texts) for texts in by_chat.values()),
                }
            ),
            flush=True,
        )


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])))
