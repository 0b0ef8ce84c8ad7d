"""Storages by URL."""

from spikard.bots.storages.base import BaseStorage
from spikard.errors import ConfigError


def create_storage(url: str) -> BaseStorage:
    """The storage of a URL: `memory:`, `sqlite:bot.db` (or `sqlite:///bot.db`),
    `postgresql://user@host/database`, `redis://host/0`.

    Raises:
        ConfigError: Nothing is known for its scheme.
    """
    scheme, _, rest = url.partition(":")
    if scheme == "memory":
        from spikard.bots.storages.memory import MemoryStorage

        return MemoryStorage()
    if scheme == "sqlite":
        from spikard.bots.storages.sqlite import SqliteStorage

        return SqliteStorage(rest.removeprefix("///") or "bot.db")
    if scheme in {"redis", "rediss"}:
        from spikard.bots.storages.redis import RedisStorage

        return RedisStorage(url=url)
    if scheme in {"postgresql", "postgres"}:
        from spikard.bots.storages.sql import SqlStorage

        return SqlStorage(url)
    raise ConfigError(
        f"no storage of dialogues for {scheme!r}: use memory:, sqlite:FILE, postgresql://HOST/NAME or redis://HOST/0"
    )


__all__ = ["create_storage"]
