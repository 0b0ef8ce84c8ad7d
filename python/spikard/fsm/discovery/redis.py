"""Discoveries in Redis."""

from typing import Any

from spikard.fsm.discovery.documents import DocumentDiscoveryStore


class RedisDiscoveryStore(DocumentDiscoveryStore):
    """Keeps discoveries as hashes, one for each machine and kind; `redis://` or `rediss://`."""

    def __init__(self, connection_string: str, key_prefix: str = "spikard:fsm:discovery") -> None:
        if not connection_string.startswith(("redis://", "rediss://")):
            raise ValueError(f"RedisDiscoveryStore requires a redis:// URL, got: {connection_string!r}")
        self._url = connection_string
        self._prefix = key_prefix
        self._client: Any = None

    def connect(self) -> None:
        """Open the connection pool."""
        if self._client is not None:
            return
        try:
            import redis
        except ImportError as error:
            raise ImportError("redis is required for RedisDiscoveryStore. Install with: pip install redis") from error
        client = redis.Redis.from_url(self._url, decode_responses=True)
        client.ping()
        self._client = client

    def disconnect(self) -> None:
        """Close all connections."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    @property
    def _connected(self) -> Any:
        if self._client is None:
            raise RuntimeError("Not connected. Call connect() first.")
        return self._client

    def _place(self, table: str, machine: str) -> str:
        return f"{self._prefix}:{table}:{machine}"

    def _insert(self, table: str, machine: str, key: str, text: str) -> bool:
        pipeline = self._connected.pipeline()
        pipeline.sadd(f"{self._prefix}:machines:{table}", machine)
        pipeline.hsetnx(self._place(table, machine), key, text)
        return bool(pipeline.execute()[1])

    def _put(self, table: str, machine: str, key: str, text: str) -> None:
        pipeline = self._connected.pipeline()
        pipeline.sadd(f"{self._prefix}:machines:{table}", machine)
        pipeline.hset(self._place(table, machine), key, text)
        pipeline.execute()

    def _get(self, table: str, machine: str, key: str) -> str | None:
        text: str | None = self._connected.hget(self._place(table, machine), key)
        return text

    def _remove(self, table: str, machine: str, keys: list[str]) -> int:
        return int(self._connected.hdel(self._place(table, machine), *keys)) if keys else 0

    def _rows(self, table: str, machine: str) -> dict[str, str]:
        rows: dict[str, str] = self._connected.hgetall(self._place(table, machine))
        return rows

    def _machines(self, table: str) -> list[str]:
        return sorted(self._connected.smembers(f"{self._prefix}:machines:{table}"))

    def _next(self, name: str) -> int:
        return int(self._connected.hincrby(f"{self._prefix}:numbers", name, 1))
