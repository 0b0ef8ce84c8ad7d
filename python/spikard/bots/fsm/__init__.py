"""States of dialogues.

- `state`: states and groups of them
- `context`: the state of one dialogue
- `strategy`: whose dialogue it is
- `middleware`: the state given to handlers, for routers without a dispatcher
"""

from typing import TYPE_CHECKING

from spikard.bots.fsm.context import FSMContext, Transaction
from spikard.bots.fsm.state import State, StatesGroup
from spikard.bots.fsm.strategy import FSMStrategy
from spikard.bots.storages.base import DEFAULT_DESTINY, BaseStorage, Record, StorageKey
from spikard.bots.storages.memory import MemoryStorage
from spikard.late_names import late_names

if TYPE_CHECKING:
    from spikard.bots.fsm.middleware import FSMContextMiddleware as FSMContextMiddleware
    from spikard.bots.storages.redis import RedisStorage as RedisStorage
    from spikard.bots.storages.sql import SqlStorage as SqlStorage
    from spikard.bots.storages.sqlite import SqliteStorage as SqliteStorage

_LATER = {
    "FSMContextMiddleware": "spikard.bots.fsm.middleware",
    "RedisStorage": "spikard.bots.storages.redis",
    "SqlStorage": "spikard.bots.storages.sql",
    "SqliteStorage": "spikard.bots.storages.sqlite",
}

if not TYPE_CHECKING:
    __getattr__ = late_names(__name__, _LATER)


__all__ = [
    "DEFAULT_DESTINY",
    "BaseStorage",
    "FSMContext",
    "FSMContextMiddleware",
    "FSMStrategy",
    "MemoryStorage",
    "Record",
    "RedisStorage",
    "SqlStorage",
    "SqliteStorage",
    "State",
    "StatesGroup",
    "StorageKey",
    "Transaction",
]
