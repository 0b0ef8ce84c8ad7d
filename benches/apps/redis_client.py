"""The Redis client of all apps, made at the first use: its import takes longer than the start of most servers here."""

import os
from functools import cache
from typing import Any


@cache
def redis() -> Any:
    from redis.asyncio import Redis

    return Redis.from_url(os.environ.get("REDIS_URL", "redis://127.0.0.1:6379"), decode_responses=True)
