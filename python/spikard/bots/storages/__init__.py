"""What keeps the states of dialogues.

- `base`: the interface, keys and records
- `content`: what data may be made of
- `memory`, `sql`, `sqlite`, `redis`: storages; all but the first keep the journal of updates as well
- `records`, `journal`: what they say in SQL; `sqlite_thread`, `postgres_pool`: to whom; `redis_scripts`: in Redis
- `draft`: what a handler writes, held back until its update is done
- `factory`: a storage from a URL
"""

from typing import TYPE_CHECKING

from spikard.bots.storages.base import DEFAULT_DESTINY, BaseStorage, Record, StorageKey
from spikard.bots.storages.factory import create_storage
from spikard.bots.storages.memory import MemoryStorage
from spikard.late_names import late_names

if TYPE_CHECKING:
    from spikard.bots.storages.redis import RedisStorage as RedisStorage
    from spikard.bots.storages.sql import SqlStorage as SqlStorage
    from spikard.bots.storages.sqlite import SqliteStorage as SqliteStorage

_LATER = {"RedisStorage": "redis", "SqlStorage": "sql", "SqliteStorage": "sqlite"}

if not TYPE_CHECKING:
    __getattr__ = late_names(__name__, _LATER)


__all__ = [
    "DEFAULT_DESTINY",
    "BaseStorage",
    "MemoryStorage",
    "Record",
    "RedisStorage",
    "SqlStorage",
    "SqliteStorage",
    "StorageKey",
    "create_storage",
]
