"""Clients of Redis that many may use at once."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from redis.asyncio import Redis

_CONNECTIONS = 20


def redis_client(url: str) -> "Redis":
    """A client with a few connections, for which those who come when all are in use wait in line."""
    from redis.asyncio import BlockingConnectionPool, Redis

    return Redis.from_pool(BlockingConnectionPool.from_url(url, max_connections=_CONNECTIONS, timeout=None))


__all__ = ["redis_client"]
